/** What a user may pass in place of `navigator.gpu`: here alone, so that the package's public types need no types of WebGPU. */

/** The entry to WebGPU: `navigator.gpu`, or what Dawn's `create` gives. */
export interface GpuEntry {
  requestAdapter(options?: { powerPreference?: 'low-power' | 'high-performance' }): Promise<object | null>;
}
