import { afterEach, describe, expect, test, vi } from 'vitest';
import { openDevice } from './device.ts';

describe('openDevice', () => {
  afterEach(() => vi.unstubAllGlobals());

  test('takes wasm where there is WebAssembly, and says nothing', async () => {
    const lines: string[] = [];
    expect((await openDevice(undefined, (line) => lines.push(line))).name).toContain('wasm');
    expect(lines).toEqual([]);
  });

  test('takes cpu where there is none, with one line that says why', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    const lines: string[] = [];
    expect((await openDevice(undefined, (line) => lines.push(line))).name).toBe('cpu');
    expect(lines).toEqual(['computing on cpu, since wasm found an engine without WebAssembly']);
  });

  test('takes what was asked for, or fails', async () => {
    expect((await openDevice('cpu', () => {})).name).toBe('cpu');
    vi.stubGlobal('WebAssembly', undefined);
    await expect(openDevice('wasm', () => {})).rejects.toThrow('expected an engine with WebAssembly');
  });
});
