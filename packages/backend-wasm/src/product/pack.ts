/**
 * Packing: the rows of a matrix in panels of 4 or 8, element k of all rows of a panel side by side, so that the micro-kernel reads memory
 * in order. Unpacked operands lose up to a third, most where rows lie a power of two apart.
 *
 * What is packed is `[rows, k]` with any strides, batch by batch; rows beyond the last are copies of it, whose products nobody looks at.
 */

import type { Callable, Code } from '../assembler/code.ts';
import { f32, i32, i8x16, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import type { Parameters } from '../assembler/routine.ts';
import type { F32, I32, Type, V128, Value } from '../assembler/value.ts';
import { scalarElements, vectorElements } from '../lanes/elements.ts';
import type { Loaded, StoredDType } from '../lanes/elements.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { LANES, vectorLanes } from '../lanes/vector.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';
import { least, writeRun } from '../kernels/units.ts';

/** Which way neighbouring elements lie. */
export type PackMode = 'k' | 'rows' | 'far';

const WORD_BYTES = 4;

/** Words of the elements of two vectors: the lower two of each, interleaved, and the upper two. */
const LOW_PAIRS = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const HIGH_PAIRS = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const HIGH_HALVES = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];

/** Four vectors as the columns of the matrix whose rows they were. */
export function transpose(code: Code, [a, b, c, d]: readonly V128[]): readonly V128[] {
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new TypeError('internal: a transposition takes four vectors');
  const lowAb = code.let(i8x16.shuffle(a, b, LOW_PAIRS));
  const highAb = code.let(i8x16.shuffle(a, b, HIGH_PAIRS));
  const lowCd = code.let(i8x16.shuffle(c, d, LOW_PAIRS));
  const highCd = code.let(i8x16.shuffle(c, d, HIGH_PAIRS));
  return [
    i8x16.shuffle(lowAb, lowCd, LOW_HALVES),
    i8x16.shuffle(lowAb, lowCd, HIGH_HALVES),
    i8x16.shuffle(highAb, highCd, LOW_HALVES),
    i8x16.shuffle(highAb, highCd, HIGH_HALVES),
  ];
}

/**
 * Writes the code that packs panels of `width` rows; its entry is exported as `run`. A unit is some panels of one batch.
 * Words: `source`, `offsets` (the address of a table of byte offsets, one a batch), `rows`, `k`, `rowStride`, `kStride`, `target`, `panels`,
 * `panelsPerUnit`, `unitsPerBatch`.
 */
export function writePack(module: ModuleWriter, width: number, dtype: StoredDType, mode: PackMode, layout: FrameLayout): void {
  const panel = panelPacker(module, width, dtype, mode);
  const unit = module.function(['i32', 'i32'], null, (code) => {
    const frame = new Frame(code, layout, code.parameter(0, 'i32'));
    for (const word of ['k', 'rows', 'rowStride', 'kStride', 'panels', 'panelsPerUnit', 'unitsPerBatch']) frame.preload(word);
    const number = code.parameter(1, 'i32');
    const batch = code.let(i32.divU(number, frame.word('unitsPerBatch')));
    const first = code.let(i32.mul(i32.remU(number, frame.word('unitsPerBatch')), frame.word('panelsPerUnit')));
    const end = least(code, i32.add(first, frame.word('panelsPerUnit')), frame.word('panels'));
    const offset = i32.load(i32.add(frame.word('offsets'), i32.mul(batch, i32.const(WORD_BYTES))));
    const source = code.let(i32.add(frame.word('source'), offset));
    const panelBytes = code.let(i32.mul(frame.word('k'), i32.const(width * WORD_BYTES)));
    const target = code.let(i32.add(frame.word('target'), i32.mul(i32.mul(batch, frame.word('panels')), panelBytes)));
    code.for(
      end,
      (p) => {
        const row = code.let(i32.mul(p, i32.const(width)));
        code.run(panel, [
          i32.add(source, i32.mul(row, frame.word('rowStride'))),
          i32.add(target, i32.mul(p, panelBytes)),
          i32.sub(frame.word('rows'), row),
          frame.word('k'),
          frame.word('rowStride'),
          frame.word('kStride'),
        ]);
      },
      first,
    );
  });
  writeRun(module, (code, frame, number) => code.run(unit, [frame, number]));
}

const PANEL = ['source', 'target', 'rowsLeft', 'k', 'rowStride', 'kStride'] as const;
const MATRIX = ['source', 'target', 'rows', 'k', 'rowStride', 'kStride'] as const;

/** `panel(source, target, rowsLeft, k, rowStride, kStride)`: one panel. A bool is packed as what a mask adds: 0 where true, else -Infinity. */
function panelPacker(module: ModuleWriter, width: number, dtype: StoredDType, mode: PackMode): Callable {
  return routine(module, PANEL, (code, parameters) => writePanel(code, parameters, width, dtype, mode));
}

/** `pack(source, target, rows, k, rowStride, kStride)`: all panels of one matrix, for kernels that pack as they go. */
export function matrixPacker(module: ModuleWriter, width: number, dtype: StoredDType, mode: PackMode): Callable {
  const panel = panelPacker(module, width, dtype, mode);
  return routine(module, MATRIX, (code, { source, target, rows, k, rowStride, kStride }) => {
    code.for(
      rows,
      (row) => {
        const at = i32.add(target, i32.mul(i32.mul(row, k), i32.const(WORD_BYTES)));
        code.run(panel, [i32.add(source, i32.mul(row, rowStride)), at, i32.sub(rows, row), k, rowStride, kStride]);
      },
      i32.const(0),
      i32.const(width),
    );
  });
}

function writePanel(code: Code, parameters: Parameters<(typeof PANEL)[number]>, width: number, dtype: StoredDType, mode: PackMode): void {
  const { source, target, rowsLeft, k, rowStride, kStride } = parameters;
  const [lanes, lane] = [vectorLanes(code), scalarLanes(code)];
  const [elements, element] = [vectorElements(lanes), scalarElements(lane)];
  const four = (address: I32): V128 => asFloat(lanes, elements.load(dtype, address, 'unit'));
  const one = (address: I32): F32 => asFloat(lane, element.load(dtype, address, 'none'));
  const last = code.let(i32.sub(rowsLeft, i32.const(1)));
  const rows = Array.from({ length: width }, (_, r) => code.let(i32.add(source, i32.mul(least(code, i32.const(r), last), rowStride))));
  const left = code.let(k);
  const advance = (count: number): void => {
    for (const row of rows) code.set(row, i32.add(row, count === 1 ? kStride : i32.mul(kStride, i32.const(count))));
    code.set(target, i32.add(target, i32.const(count * width * WORD_BYTES)));
    code.set(left, i32.sub(left, i32.const(count)));
  };
  const singly = (): void => {
    code.while(left, () => {
      rows.forEach((row, r) => code.effect(f32.store(target, one(row), r * WORD_BYTES)));
      advance(1);
    });
  };
  if (mode === 'k') {
    code.while(i32.geS(left, i32.const(LANES)), () => {
      for (let group = 0; group < width; group += LANES) {
        const vectors = rows.slice(group, group + LANES).map(four);
        transpose(code, vectors).forEach((vector, j) => {
          code.effect(v128.store(target, vector, (j * width + group) * WORD_BYTES));
        });
      }
      advance(LANES);
    });
  }
  if (mode === 'rows') {
    code.if(i32.geS(rowsLeft, i32.const(width)), () => {
      code.while(left, () => {
        for (let group = 0; group < width; group += LANES) {
          const row = rows[group];
          if (row !== undefined) code.effect(v128.store(target, four(row), group * WORD_BYTES));
        }
        advance(1);
      });
    });
  }
  singly();
}

function asFloat<F extends Type, I extends Type>(lanes: Lanes<F, I>, { float, int }: Loaded<Value<F>, Value<I>>): Value<F> {
  if (float !== null) return float;
  if (int === null) throw new TypeError('internal: an element in no register');
  return lanes.selectFloat(int, lanes.float(0), lanes.float(-Infinity));
}
