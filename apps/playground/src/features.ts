/** What this browser lacks of what the page would use, in words for its visitor: what is missing, what follows, what to do. */

import type { DeviceName } from './choices.ts';

/** What was found in the browser. */
export interface Found {
  readonly webAssembly: boolean;
  /** May threads share memory here? */
  readonly isolated: boolean;
  readonly sharedArrayBuffer: boolean;
  /** `none`: no WebGPU at all; `no adapter`: WebGPU, and nothing that computes for it. */
  readonly webgpu: 'ready' | 'none' | 'no adapter';
  /** Was the page loaded over https, or from this computer? Browsers keep WebGPU from other pages. */
  readonly secure: boolean;
}

/** Something that is missing. */
export interface Lack {
  /** The device that cannot be chosen; null where something is only slower. */
  readonly device: DeviceName | null;
  readonly missing: string;
  readonly advice: string;
}

/** Everything that is missing. */
export function lacksOf({ webAssembly, isolated, sharedArrayBuffer, webgpu, secure }: Found): Lack[] {
  const lacks: Lack[] = [];
  if (!webAssembly)
    lacks.push({
      device: 'wasm',
      missing: 'No WebAssembly, so the wasm device is off.',
      advice: 'The cpu device works, slowly. Some browsers turn WebAssembly off in a strict or lockdown mode; allow it for this page.',
    });
  else if (!sharedArrayBuffer || !isolated)
    lacks.push({
      device: null,
      missing: sharedArrayBuffer
        ? 'This page is not isolated from other origins, so wasm runs on one thread.'
        : 'No SharedArrayBuffer, so wasm runs on one thread.',
      advice:
        'Whoever serves the page can change that with two headers: Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
    });
  if (webgpu !== 'ready') lacks.push({ device: 'webgpu', ...withoutWebGpu(webgpu, secure) });
  return lacks;
}

function withoutWebGpu(webgpu: 'none' | 'no adapter', secure: boolean): Omit<Lack, 'device'> {
  if (webgpu === 'no adapter')
    return {
      missing: 'This browser has WebGPU but found no graphics card that it may use.',
      advice: 'Turn on hardware acceleration in the browser’s settings, or update the graphics driver. The wasm device works meanwhile.',
    };
  if (!secure)
    return {
      missing: 'No WebGPU, because this page did not come over https.',
      advice: 'Open it with https, or from localhost. The wasm device works meanwhile.',
    };
  return {
    missing: 'This browser has no WebGPU.',
    advice: 'Chrome and Edge from version 113, Safari from 26 and Firefox from 141 on Windows have it. The wasm device works meanwhile.',
  };
}

/** The part of `navigator.gpu` that is used; not every browser has it. */
interface Gpu {
  requestAdapter(): Promise<unknown>;
}

/** Looks at the browser. */
export async function lookAround(): Promise<Found> {
  const { gpu } = navigator as { readonly gpu?: Gpu };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return {
    webAssembly: typeof WebAssembly === 'object',
    isolated: globalThis.crossOriginIsolated,
    sharedArrayBuffer: typeof SharedArrayBuffer === 'function',
    webgpu: gpu === undefined ? 'none' : adapter === null || adapter === undefined ? 'no adapter' : 'ready',
    secure: globalThis.isSecureContext,
  };
}
