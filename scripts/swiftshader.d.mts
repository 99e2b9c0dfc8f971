/** Makes Dawn, when it is loaded later in this process, find the software driver. False where there is none for this platform. */
export function useSwiftShader(): boolean;
