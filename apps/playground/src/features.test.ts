import { expect, test } from 'vitest';
import { lacksOf } from './features.ts';
import type { Found } from './features.ts';

const all: Found = { webAssembly: true, isolated: true, sharedArrayBuffer: true, webgpu: 'ready', secure: true };

test('a browser with everything lacks nothing', () => {
  expect(lacksOf(all)).toEqual([]);
});

test.each<[string, Partial<Found>, string | null, RegExp, RegExp]>([
  ['WebAssembly', { webAssembly: false }, 'wasm', /No WebAssembly/, /cpu device works/],
  ['isolation', { isolated: false }, null, /not isolated.*one thread/, /Cross-Origin-Opener-Policy: same-origin.*require-corp/],
  ['shared memory', { isolated: false, sharedArrayBuffer: false }, null, /No SharedArrayBuffer/, /headers/],
  ['WebGPU', { webgpu: 'none' }, 'webgpu', /no WebGPU/, /Chrome and Edge from version 113/],
  ['WebGPU on a page without https', { webgpu: 'none', secure: false }, 'webgpu', /did not come over https/, /localhost/],
  ['a graphics card', { webgpu: 'no adapter' }, 'webgpu', /no graphics card/, /hardware acceleration/],
])('without %s', (_, found, device, missing, advice) => {
  const lacks = lacksOf({ ...all, ...found });
  expect(lacks).toHaveLength(1);
  expect(lacks[0]).toEqual({ device, missing: expect.stringMatching(missing), advice: expect.stringMatching(advice) });
});

test('without WebAssembly nothing is said of its threads', () => {
  expect(lacksOf({ ...all, webAssembly: false, isolated: false }).map(({ device }) => device)).toEqual(['wasm']);
});
