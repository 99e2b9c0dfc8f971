/** The pad that is drawn on, and the small picture of what the network gets. */

import { SIDE } from '../choices.ts';
import { asDigit } from '../digit.ts';
import { drawingContext, element } from './elements.ts';

/** Of a pad of 280: as broad beside its digit as the strokes of MNIST are. */
const STROKE = 22;
const BYTE = 255;

/** See above. */
export class Pad {
  readonly #canvas = element('pad', HTMLCanvasElement);
  readonly #context = drawingContext(this.#canvas);
  readonly #seen = drawingContext(element('seen-image', HTMLCanvasElement));
  readonly #onDrawn: (pixels: Float32Array) => void;
  /** Does the pad show an image of the test set, which the next stroke takes away? */
  #showsImage = false;
  #pixels: Float32Array | null = null;

  /** @param onDrawn is given each drawing as the network sees it, when a stroke ends */
  constructor(onDrawn: (pixels: Float32Array) => void) {
    this.#onDrawn = onDrawn;
    Object.assign(this.#context, { lineWidth: STROKE, lineCap: 'round', lineJoin: 'round', strokeStyle: '#fff' });
    this.#canvas.addEventListener('pointerdown', (event) => this.#begin(event));
    this.clear();
  }

  /** What the network sees; null for an empty pad. */
  get pixels(): Float32Array | null {
    return this.#pixels;
  }

  /** Wipes it. */
  clear(): void {
    this.#wipe();
    this.#see(null);
    this.#canvas.ariaLabel = 'Drawing area, empty';
  }

  /** Shows an image of 28 × 28 numbers. */
  show(pixels: Float32Array, label: string): void {
    this.#wipe();
    this.#showsImage = true;
    this.#see(pixels);
    this.#context.imageSmoothingEnabled = false;
    this.#context.drawImage(this.#seen.canvas, 0, 0, this.#canvas.width, this.#canvas.height);
    this.#canvas.ariaLabel = label;
  }

  #wipe(): void {
    this.#showsImage = false;
    this.#context.fillStyle = '#000';
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #begin(down: PointerEvent): void {
    if (!down.isPrimary || down.button !== 0) return;
    down.preventDefault();
    if (this.#showsImage) this.#wipe();
    this.#canvas.setPointerCapture(down.pointerId);
    const ended = new AbortController();
    const line = (event: PointerEvent): void => {
      for (const each of [...event.getCoalescedEvents(), event]) this.#context.lineTo(...this.#place(each));
      this.#context.stroke();
    };
    const end = (): void => {
      ended.abort();
      this.#read();
    };
    this.#context.beginPath();
    this.#context.moveTo(...this.#place(down));
    line(down); // a tap is a dot
    this.#canvas.addEventListener('pointermove', line, { signal: ended.signal });
    for (const type of ['pointerup', 'pointercancel'] as const) this.#canvas.addEventListener(type, end, { signal: ended.signal });
  }

  /** Where on the pad, whatever its size on the screen. */
  #place({ clientX, clientY }: PointerEvent): [x: number, y: number] {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return [((clientX - left) / width) * this.#canvas.width, ((clientY - top) / height) * this.#canvas.height];
  }

  #read(): void {
    const { width, height } = this.#canvas;
    const { data } = this.#context.getImageData(0, 0, width, height);
    const ink = Float32Array.from({ length: width * height }, (_, i) => (data[4 * i] ?? 0) / BYTE);
    const pixels = asDigit({ width, height, ink });
    if (pixels === null) return;
    this.#see(pixels);
    this.#canvas.ariaLabel = 'Drawing area, with a drawing';
    this.#onDrawn(pixels);
  }

  #see(pixels: Float32Array | null): void {
    this.#pixels = pixels;
    const image = this.#seen.createImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) {
      const grey = BYTE * (pixels?.[i] ?? 0);
      image.data.set([grey, grey, grey, BYTE], 4 * i);
    }
    this.#seen.putImageData(image, 0, 0);
  }
}
