/**
 * `quantizedContract`: both operands are packed as words of several values and multiplied by the tile of `contract`, or, where a has few rows, b is
 * read as it lies; then the epilogue. Whole numbers are exact, and sums of groups are scaled and added up in the order the contract states.
 */

import type { QuantizedContractKernel } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { Planner } from '../kernels/prepare-map.ts';
import { FrameLayout } from '../launch/frame.ts';
import { NOTHING } from '../launch/launch.ts';
import type { LaunchPlan, Phase, UnitCode } from '../launch/launch.ts';
import { Words } from '../launch/words.ts';
import { LANES } from '../lanes/vector.ts';
import { namedAxes, spaceOf } from '../lowering/space.ts';
import type { Space } from '../lowering/space.ts';
import { epiloguePlanner, isPlain } from '../product/epilogue.ts';
import { blockingOf, writeMultiply } from '../product/gemm.ts';
import type { Blocking } from '../product/gemm.ts';
import { TILE_COLUMNS, TILE_ROWS, writeTileOf } from '../product/tile.ts';
import { stepsOf, writePackQuantized } from './pack.ts';
import type { PackedSide } from './pack.ts';
import { hasExactDot } from './probe.ts';
import { writeScaledTile } from './scaled-tile.ts';
import { ARITHMETIC, VALUES_PER_WORD, bitsOf } from './values.ts';
import type { Packing, ValueFormat } from './values.ts';
import { STEP, wideStepBytes, writeVectorProduct, writeWiden } from './vector.ts';
import type { VectorProduct } from './vector.ts';

const WORD_BYTES = 4;
/** Rows of a that are not worth packing b for: packing takes as long as some ten rows. */
const FEW_ROWS = 8;
/** Values that a unit packs, about. */
const PACK_UNIT = 32_768;
/** Values of b that a unit of a product of few rows reads, about. */
const VECTOR_UNIT = 262_144;

/** The table of byte offsets of the matrices of c, of which there is one. */
const NO_OFFSET = Int32Array.of(0);

/** Code of a phase, and what its frame holds. */
interface Made {
  readonly layout: FrameLayout;
  readonly code: UnitCode;
}

/** The sizes of a run, and where its operands lie. */
interface Run {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly space: Space;
}

/** Products before the epilogue: rows of c may be padded. */
interface Product {
  readonly phases: readonly Phase[];
  readonly scratchBytes: number;
}

/** Where the accumulators go: to the only output as they are, or to the scratch, in rows of whole tiles. */
interface Target {
  readonly inPlace: boolean;
  readonly rowBytes: number;
}

/** Plans the products of one kernel; code is made when it is first needed. */
class QuantizedPlanner {
  readonly #kernel: QuantizedContractKernel;
  readonly #toolchain: Toolchain;
  readonly #epilogue: ReturnType<typeof epiloguePlanner>;
  readonly #plain: boolean;
  readonly #written: number;
  readonly #packing: Packing;
  readonly #a: ValueFormat;
  readonly #b: ValueFormat;
  readonly #made = new Map<string, Made>();

  constructor(kernel: QuantizedContractKernel, toolchain: Toolchain) {
    this.#kernel = kernel;
    this.#toolchain = toolchain;
    const dtype = kernel.group === null ? 'int32' : 'float32';
    this.#epilogue = epiloguePlanner(kernel, 2, dtype, toolchain);
    this.#plain = isPlain(kernel, dtype);
    this.#written = kernel.outputs[0]?.operand ?? 0;
    this.#packing = kernel.aBits === 7 && hasExactDot(toolchain.features) ? 'quads' : 'pairs';
    this.#a = kernel.operands[0]?.dtype === 'uint8' ? 'uint8' : 'int8';
    this.#b = kernel.bBits === 4 ? 'halves' : 'int8';
  }

  #code(key: string, write: (module: ModuleWriter, layout: FrameLayout) => void): Made {
    let made = this.#made.get(key);
    if (made === undefined) {
      const layout = new FrameLayout();
      made = { layout, code: this.#toolchain.build((module) => write(module, layout)) };
      this.#made.set(key, made);
    }
    return made;
  }

  /** Where accumulators go, in tiles of `rows` by `columns`: straight to where they are wanted, if tiles fit and rows are addressed upward. */
  #targetOf({ m, n, space }: Run, rows: number, columns: number): Target {
    const [rowAxis, columnAxis] = space.axes;
    const rowBytes = rowAxis?.strides[this.#written] ?? 0;
    const near = columnAxis?.strides[this.#written] === WORD_BYTES && (rowBytes > 0 || m === 1);
    const inPlace = this.#plain && near && m % rows === 0 && n % columns === 0;
    return { inPlace, rowBytes: inPlace ? rowBytes : Math.ceil(n / columns) * columns * WORD_BYTES };
  }

  #placeTarget(words: Words, { inPlace }: Target, { space }: Run, scratch: number): Words {
    return inPlace ? words.operand('c', this.#written, space.offsets[this.#written] ?? 0) : words.scratch('c', scratch);
  }

  /** The words for b's scales: zeros where there are none. */
  #placeScales(words: Words, { k, space }: Run): Words {
    const { group } = this.#kernel;
    if (group === null) return words.constant('scales', 0).constant('scaleRowBytes', 0);
    return words.operand('scales', 2, space.offsets[2] ?? 0).constant('scaleRowBytes', Math.ceil(k / group) * WORD_BYTES);
  }

  plan(run: Run): LaunchPlan {
    const { group } = this.#kernel;
    const { m, k } = run;
    const inSteps = group === null || group % STEP === 0;
    const few = k === 0 || (m <= FEW_ROWS && inSteps);
    const target = few ? this.#targetOf(run, 1, LANES) : this.#targetOf(run, TILE_ROWS, TILE_COLUMNS);
    const rows = few ? m : Math.ceil(m / TILE_ROWS) * TILE_ROWS;
    // Accumulators that are not in place come first in the scratch.
    const matrixBytes = target.inPlace ? 0 : rows * target.rowBytes;
    const product = few ? this.#fewRows(run, target, matrixBytes) : this.#manyRows(run, target, matrixBytes);
    const phases = [...product.phases];
    if (!target.inPlace) {
      const strides = [target.rowBytes, WORD_BYTES];
      const axes = run.space.axes.map((axis, i) => ({ ...axis, strides: [...axis.strides, strides[i] ?? 0] }));
      const extra = this.#kernel.operands.length;
      const finish = this.#epilogue({ ...run.space, axes }, (words) => words.scratch(`address${extra}`, 0));
      if (finish !== null) phases.push(finish);
    }
    return { phases, scratchBytes: matrixBytes + product.scratchBytes, table: few ? null : NO_OFFSET };
  }

  #fewRows(run: Run, target: Target, matrixBytes: number): Product {
    const { m, n, k, space } = run;
    // Halves take no less time as quads: they are widened anyway.
    const packing = this.#b === 'halves' ? 'pairs' : this.#packing;
    const product: VectorProduct = { packing, a: this.#a, b: this.#b, group: this.#kernel.group };
    const steps = Math.ceil(k / STEP);
    const widen = this.#code('widen', (module, layout) => writeWiden(module, product, layout));
    const multiply = this.#code('vector', (module, layout) => writeVectorProduct(module, product, layout));
    const widenWords = new Words()
      .operand('source', 0, space.offsets[0] ?? 0)
      .constant('k', k)
      .constant('steps', steps);
    widenWords.scratch('target', matrixBytes);
    const rowsPerUnit = Math.ceil(Math.max(1, VECTOR_UNIT / Math.max(1, k)) / LANES) * LANES;
    const words = this.#placeScales(this.#placeTarget(new Words(), target, run, 0), run);
    words
      .scratch('a', matrixBytes)
      .constant('m', m)
      .operand('b', 1, space.offsets[1] ?? 0)
      .constant('n', n)
      .constant('steps', steps);
    words
      .constant('rowBytes', Math.ceil((k * bitsOf(this.#b)) / 8))
      .constant('cRowBytes', target.rowBytes)
      .constant('rowsPerUnit', rowsPerUnit);
    return {
      phases: [
        { code: widen.code, units: m, words: widenWords.inOrderOf(widen.layout) },
        { code: multiply.code, units: Math.ceil(n / rowsPerUnit), words: words.inOrderOf(multiply.layout) },
      ],
      scratchBytes: m * steps * wideStepBytes(packing),
    };
  }

  #manyRows(run: Run, target: Target, matrixBytes: number): Product {
    const { m, n, k } = run;
    const { group } = this.#kernel;
    const [packing, steps] = [this.#packing, stepsOf(this.#packing, group, k)];
    const blocking = this.#blocking(m, n, steps);
    const panelBytes = steps * WORD_BYTES;
    const aBytes = blocking.rowPanels * TILE_ROWS * panelBytes;
    const bBytes = blocking.columnPanels * TILE_COLUMNS * panelBytes;
    const [aAt, bAt] = [matrixBytes, matrixBytes + aBytes];
    const a: PackedSide = { width: TILE_ROWS, packing, format: this.#a, group, scaled: false };
    const b: PackedSide = { width: TILE_COLUMNS, packing, format: this.#b, group, scaled: group !== null };
    const multiply = this.#code('tiles', (module, layout) => {
      const arithmetic = ARITHMETIC[packing];
      const groupSteps = Math.ceil((group ?? 0) / VALUES_PER_WORD[packing]);
      writeMultiply(module, group === null ? writeTileOf(module, arithmetic) : writeScaledTile(module, arithmetic, groupSteps), layout);
    });
    const words = this.#placeTarget(new Words(), target, run, 0);
    words.scratch('a', aAt).constant('aBatch', 0).scratch('b', bAt).constant('bBatch', 0).table('cOffsets', 0);
    words.constant('k', steps).constant('rowBytes', target.rowBytes);
    for (const [name, value] of Object.entries(blocking) as [keyof Blocking, number][]) words.constant(name, value);
    return {
      phases: [
        this.#pack(run, 0, a, m, blocking.rowPanels, aAt, steps),
        this.#pack(run, 1, b, n, blocking.columnPanels, bAt, steps),
        { code: multiply.code, units: blocking.rowParts * blocking.columnParts, words: words.inOrderOf(multiply.layout) },
      ],
      scratchBytes: aBytes + bBytes,
    };
  }

  /** Blocks as those of `contract`; with groups, blocks of k end where groups do. */
  #blocking(m: number, n: number, steps: number): Blocking {
    const blocking = blockingOf(m, n, steps);
    const { group } = this.#kernel;
    if (group === null) return blocking;
    const groupSteps = stepsOf(this.#packing, group, group);
    return { ...blocking, kBlock: Math.max(1, Math.floor(blocking.kBlock / groupSteps)) * groupSteps };
  }

  #pack(run: Run, operand: 0 | 1, side: PackedSide, rows: number, panels: number, target: number, steps: number): Phase {
    const { k, space } = run;
    const { code, layout } = this.#code(`pack ${operand}`, (module, made) => writePackQuantized(module, side, made));
    const panelsPerUnit = Math.max(1, Math.min(panels, Math.floor(PACK_UNIT / (side.width * k))));
    const words = this.#placeScales(new Words(), run);
    words
      .operand('source', operand, space.offsets[operand] ?? 0)
      .constant('rows', rows)
      .constant('k', k);
    words
      .constant('rowBytes', Math.ceil((k * bitsOf(side.format)) / 8))
      .scratch('target', target)
      .constant('panels', panels);
    words.constant('panelBytes', steps * side.width * WORD_BYTES).constant('panelsPerUnit', panelsPerUnit);
    return { code, units: Math.ceil(panels / panelsPerUnit), words: words.inOrderOf(layout) };
  }
}

/** Plans runs of a quantized product. */
export function prepareQuantized(kernel: QuantizedContractKernel, toolchain: Toolchain): Planner {
  const named = namedAxes(kernel.outputs.map((output) => output.value));
  const planner = new QuantizedPlanner(kernel, toolchain);
  return (dims) => {
    const [m = 0, n = 0, k = 0] = dims;
    if (m === 0 || n === 0) return NOTHING;
    return planner.plan({ m, n, k, space: spaceOf({ ...kernel, rank: 2 }, dims, named) });
  };
}
