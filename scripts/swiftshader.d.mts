/** Makes Dawn, when it is loaded later in this process, find the software driver. False where there is none for this platform. */
export function useSwiftShader(): boolean;
/** Dawn's entry to WebGPU on that driver, one for a process; its constants (`GPUBufferUsage` and others) become globals, as in browsers. */
export function softwareGpu(): Promise<{ requestAdapter(): Promise<object | null> }>;
