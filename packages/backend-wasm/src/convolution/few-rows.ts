/**
 * Convolutions whose groups have a row or two, depthwise ones above all: no tile would be half full, and patches would be packed for one use. So
 * each row of weights runs over the picture itself, eight positions at a time.
 */

import type { Callable } from '../assembler/code.ts';
import { i32, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import type { V128 } from '../assembler/value.ts';
import { least, writeRun } from '../kernels/units.ts';
import { LANES } from '../lanes/vector.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';
import { TILE_ROWS, multiplyAdd } from '../product/tile.ts';
import { PANEL, gather, isRun } from './patches.ts';

/** Most rows of a group that this pays for. */
export const FEW_ROWS = 2;

const WORD_BYTES = 4;
const VECTOR_BYTES = 16;

/** `panel(picture, positions, taps, weights, count, target)`: one row of results at eight positions, over `count` taps. */
function writePanel(module: ModuleWriter, relaxed: boolean): Callable {
  const names = ['picture', 'positions', 'taps', 'weights', 'count', 'target'] as const;
  return routine(module, names, (code, { picture, positions, taps, weights, count, target }) => {
    const places = Array.from({ length: PANEL }, (_, j) => code.let(i32.add(picture, i32.load(positions, j * WORD_BYTES))));
    const sums = [code.local('v128'), code.local('v128')] as const;
    const loop = (vectorAt: (first: number, tap: ReturnType<typeof i32.load>) => V128): void => {
      code.while(count, () => {
        const tap = code.let(i32.load(taps));
        const weight = code.let(v128.load32Splat(weights));
        sums.forEach((sum, half) => code.set(sum, multiplyAdd(relaxed, weight, vectorAt(half * LANES, tap), sum)));
        code.set(taps, i32.add(taps, i32.const(WORD_BYTES)));
        code.set(weights, i32.add(weights, i32.const(TILE_ROWS * WORD_BYTES)));
        code.set(count, i32.sub(count, i32.const(1)));
      });
    };
    const place = (j: number): (typeof places)[number] => places[j] ?? picture;
    code.if(
      i32.and(isRun(places, 0), isRun(places, LANES)),
      () => loop((first, tap) => v128.load(i32.add(place(first), tap))),
      () =>
        loop((first, tap) =>
          gather(
            code,
            [0, 1, 2, 3].map((j) => i32.add(place(first + j), tap)),
          ),
        ),
    );
    sums.forEach((sum, half) => code.effect(v128.store(target, sum, half * VECTOR_BYTES)));
  });
}

/** Writes the product over positions for few rows; frames and units are those of `writeOverPositions`, with the word `rows` besides. */
export function writeFewRows(module: ModuleWriter, relaxed: boolean, layout: FrameLayout): void {
  const one = writePanel(module, relaxed);
  const unit = module.function(['i32', 'i32'], null, (code) => {
    const frame = new Frame(code, layout, code.parameter(0, 'i32'));
    for (const word of ['k', 'rows', 'rowBytes', 'panels', 'panelsPerUnit', 'positions', 'taps', 'parts', 'groups']) frame.preload(word);
    const number = code.parameter(1, 'i32');
    const first = code.let(i32.mul(i32.remU(number, frame.word('parts')), frame.word('panelsPerUnit')));
    const end = least(code, i32.add(first, frame.word('panelsPerUnit')), frame.word('panels'));
    const plane = code.let(i32.divU(number, frame.word('parts')));
    const group = code.let(i32.remU(plane, frame.word('groups')));
    const image = code.let(i32.divU(plane, frame.word('groups')));
    const place = (base: string, ofImage: string, ofGroup: string): ReturnType<typeof code.let<'i32'>> =>
      code.let(i32.add(frame.word(base), i32.add(i32.mul(image, frame.word(ofImage)), i32.mul(group, frame.word(ofGroup)))));
    const picture = place('picture', 'pictureImage', 'pictureGroup');
    const c = place('c', 'cImage', 'cGroup');
    const a = code.let(i32.add(frame.word('a'), i32.mul(group, frame.word('aGroup'))));
    code.for(frame.word('rows'), (row) => {
      const weights = code.let(i32.add(a, i32.mul(row, i32.const(WORD_BYTES))));
      const results = code.let(i32.add(c, i32.mul(row, frame.word('rowBytes'))));
      code.for(
        end,
        (panel) => {
          const bytes = code.let(i32.mul(panel, i32.const(PANEL * WORD_BYTES)));
          code.run(one, [picture, i32.add(frame.word('positions'), bytes), frame.word('taps'), weights, frame.word('k'), i32.add(results, bytes)]);
        },
        first,
      );
    });
  });
  writeRun(module, (code, frame, number) => code.run(unit, [frame, number]));
}
