import { describe, expect, test } from 'vitest';
import { TextStream } from '../test/text-stream.ts';
import { createProgress } from './progress.ts';

/** Shows two epochs of 1000 images, 64 at a time, at 1 ms an image. */
function show(stream: TextStream): void {
  let clock = 0;
  const progress = createProgress({ epochs: 2, images: 1000, stream, now: () => clock });
  for (const epoch of [1, 2]) {
    progress.begin(epoch);
    for (let images = 0; images < 1000;) {
      const batch = Math.min(64, 1000 - images);
      images += batch;
      clock += batch;
      progress.update(images, 2 / epoch);
    }
    progress.end();
  }
}

describe('createProgress', () => {
  test('writes ten lines an epoch where there is no terminal', () => {
    const stream = new TextStream();
    show(stream);
    expect(stream.lines).toHaveLength(20);
    expect(stream.lines[0]).toBe('epoch 1/2   12 %  loss 2.0000  1,000 images/s  1 s left');
    expect(stream.lines[19]).toBe('epoch 2/2  100 %  loss 1.0000  1,000 images/s  0 s left');
    expect(stream.text).not.toContain('\u001B');
  });

  test('writes a line for each batch where there are few', () => {
    const stream = new TextStream();
    const progress = createProgress({ epochs: 1, images: 100, stream, now: () => 0 });
    progress.begin(1);
    for (const images of [40, 80, 100]) progress.update(images, 1);
    progress.end();
    expect(stream.lines).toHaveLength(3);
  });

  test('draws a bar on a terminal and clears it', () => {
    const stream = new TextStream({ isTTY: true });
    // What cli-progress asks of a terminal: see node:readline.
    Object.assign(stream, { cursorTo: () => true, clearLine: () => true, moveCursor: () => true, clearScreenDown: () => true, columns: 120 });
    show(stream);
    expect(stream.text).toContain('epoch 1/2 ░░░░');
    expect(stream.text).toContain('epoch 2/2 ████████████████████████ 100 %  1,000 images/s  loss 1.0000  0 s left');
    expect(stream.text).not.toContain('\u001B[?25l'); // the cursor is never hidden
    expect(stream.text).not.toContain('\u001B[?7l'); // nor is line wrapping switched off
  });
});
