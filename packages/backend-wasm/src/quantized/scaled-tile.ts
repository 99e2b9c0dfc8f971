/** The tile of products with groups: whole numbers are added up group by group, and their sums, scaled, in float32. */

import type { Callable } from '../assembler/code.ts';
import { f32, f32x4, i32, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import { least } from '../kernels/units.ts';
import { TILE_COLUMNS, TILE_PARAMETERS, TILE_ROWS, eachTileVector, tileSums, writeTileSteps } from '../product/tile.ts';
import type { TileArithmetic } from '../product/tile.ts';

const WORD_BYTES = 4;
const VECTOR_BYTES = 16;

/**
 * `tile(a, b, c, k, rowBytes, add)`, as in `product/tile.ts`, over panels that `pack.ts` makes: every group is a step with scales, then
 * `groupSteps` steps with words, of which the last group may have fewer. `k` counts all of them, and ends with a group.
 */
export function writeScaledTile(module: ModuleWriter, arithmetic: TileArithmetic, groupSteps: number): Callable {
  return routine(module, TILE_PARAMETERS, (code, { a, b, c, k, rowBytes, add }) => {
    const sums = tileSums(code);
    const zero = f32x4.splat(f32.const(0));
    code.if(i32.eqz(add), () => eachTileVector(code, sums, c, rowBytes, (_, at, offset) => code.effect(v128.store(at, zero, offset))));
    const scales = Array.from({ length: (TILE_COLUMNS * WORD_BYTES) / VECTOR_BYTES }, () => code.local('v128'));
    code.while(k, () => {
      scales.forEach((scale, column) => code.set(scale, v128.load(b, column * VECTOR_BYTES)));
      code.set(a, i32.add(a, i32.const(TILE_ROWS * WORD_BYTES)));
      code.set(b, i32.add(b, i32.const(TILE_COLUMNS * WORD_BYTES)));
      code.set(k, i32.sub(k, i32.const(1)));
      for (const sum of sums.flat()) code.set(sum, zero);
      const steps = least(code, k, i32.const(groupSteps));
      code.set(k, i32.sub(k, steps));
      writeTileSteps(code, arithmetic, sums, a, b, steps);
      eachTileVector(code, sums, c, rowBytes, (sum, at, offset, column) => {
        const scaled = f32x4.mul(f32x4.convertI32x4S(sum), scales[column] ?? zero);
        code.effect(v128.store(at, f32x4.add(v128.load(at, offset), scaled), offset));
      });
    });
  });
}
