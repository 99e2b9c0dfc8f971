/**
 * `reduce` as WGSL, in one of three ways that the sizes of a run decide between:
 * - **alone**: one invocation folds all values of a point, one after the other, in blocks;
 * - **together**: the invocations of a workgroup share the values of a point, and combine what they have in a tree of fixed shape;
 * - **in pieces**: workgroups fold pieces of fixed size into scratch memory, and another pass folds those together.
 *
 * So the order of additions depends on sizes alone, and results are equal run after run. No invocation adds more than 4096 values in a row.
 */

import { emit, isFloat, operandPositions } from '@gradus/backend';
import type { Dialect, DType, ReduceKernel } from '@gradus/backend';
import { NOTHING, dispatch, operandSources, single } from '../launch/launch.ts';
import type { Planner, Source } from '../launch/launch.ts';
import type { Toolchain } from '../device/toolchain.ts';
import { Frame } from '../program/frame.ts';
import { Program } from '../program/program.ts';
import type { Slot } from '../program/program.ts';
import { typeOf } from '../wgsl/language.ts';
import { dialectAt, gathers, slotsOf, storeOutputs } from './expressions.ts';
import { combined, partial } from './folds.ts';
import { Space, sizeOf } from './space.ts';

/** Invocations that work together on a point. */
const TEAM = 256;
/** Values that an invocation adds in a row before it adds their sum to the others'. */
const BLOCK = 512;
/** Values of a piece: 64 an invocation. */
const PIECE = 64 * TEAM;
/** A point with as many values is folded in pieces, where there are few points. */
const MANY = 4 * PIECE;
const FEW_POINTS = 64;
/** From here on a team pays, unless there are points enough to keep every invocation busy. */
const TEAM_FROM = 64;
const POINTS_ENOUGH = 4096;

/** What the ways of folding have in common. */
class Reduction {
  readonly kernel: ReduceKernel;
  readonly frame = new Frame();
  readonly space: Space;
  readonly kept: number;

  constructor(kernel: ReduceKernel) {
    this.kernel = kernel;
    this.kept = kernel.rank - kernel.folded;
    const expressions = [...kernel.folds.map((fold) => fold.value), ...kernel.outputs.map((output) => output.value)];
    this.space = new Space(kernel, kernel.rank, this.kept, expressions, this.frame);
  }

  points(dims: Int32Array): number {
    return sizeOf(dims, 0, this.kept - 1);
  }

  values(dims: Int32Array): number {
    return sizeOf(dims, this.kept, this.kernel.rank - 1);
  }

  /** The language inside the loop over values, and after it. */
  #dialect(inside: boolean, accumulator: (index: number) => string): Dialect {
    const { kept, folded } = this.space;
    return dialectAt(this.frame, this.space, inside ? [...kept, ...folded] : kept, accumulator);
  }

  /** Adds value `index` (a u32 name) of the point at hand to `names`. */
  step(index: string, names: (fold: number) => string): string {
    const { folds } = this.kernel;
    const dialect = this.#dialect(true, () => '0');
    const { statements, values } = emit(
      folds.map((fold) => fold.value),
      dialect,
      { prefix: 'v' },
    );
    const lines = folds.map((fold, i) => `${names(i)} = ${combined(fold, names(i), values[i] ?? '', dialect)};`);
    return [...this.space.coordinates(this.space.folded, index), ...statements, ...lines].join('\n');
  }

  combine(fold: number, a: string, b: string): string {
    const found = this.kernel.folds[fold];
    return found === undefined
      ? a
      : combined(
          found,
          a,
          b,
          this.#dialect(false, () => '0'),
        );
  }

  partials(names: (fold: number) => string): string {
    return this.kernel.folds.map((fold, i) => partial(fold, names(i))).join('\n');
  }

  epilogue(names: (fold: number) => string): string {
    return storeOutputs(this.kernel.outputs, this.#dialect(false, names), this.space, this.space.kept, 'e').join('\n');
  }

  keptCoordinates(point: string): string {
    return this.space.coordinates(this.space.kept, point).join('\n');
  }

  /** Workgroup memory, and a tree that leaves every fold's result in its first element. Called by all invocations. */
  team(): { readonly declarations: string; readonly tree: string } {
    const { folds } = this.kernel;
    const types = folds.map(({ value }) => (typeOf(value.dtype) === 'bool' ? 'u32' : typeOf(value.dtype)));
    return {
      declarations: folds.map((_, i) => `var<workgroup> team${i}: array<${types[i]}, ${TEAM}>;`).join('\n'),
      tree: `${folds.map((_, i) => `team${i}[lane] = a${i};`).join('\n')}
workgroupBarrier();
for (var half = ${TEAM / 2}u; half > 0u; half /= 2u) {
if (lane < half) {
${folds.map((_, i) => `team${i}[lane] = ${this.combine(i, `team${i}[lane]`, `team${i}[lane + half]`)};`).join('\n')}
}
workgroupBarrier();
}`,
    };
  }
}

const accumulated = (fold: number): string => `a${fold}`;
const blocked = (fold: number): string => `s${fold}`;

function alone(kernel: ReduceKernel): Program {
  const r = new Reduction(kernel);
  const points = r.frame.word((dims) => r.points(dims));
  const values = r.frame.word((dims) => r.values(dims));
  const body = `let point = group * ${TEAM}u + lane;
if (point >= u32(${points})) { return; }
${r.keptCoordinates('point')}
${r.partials(accumulated)}
for (var start = 0u; start < u32(${values}); start += ${BLOCK}u) {
${r.partials(blocked)}
let end = min(start + ${BLOCK}u, u32(${values}));
for (var f = start; f < end; f++) {
${r.step('f', blocked)}
}
${kernel.folds.map((_, i) => `a${i} = ${r.combine(i, `a${i}`, `s${i}`)};`).join('\n')}
}
${r.epilogue(accumulated)}`;
  return new Program('reduce alone', slotsOf(kernel), r.frame, body, { declarations: gathers(kernel, r.space), workgroupSize: TEAM });
}

function together(kernel: ReduceKernel): Program {
  const r = new Reduction(kernel);
  const points = r.frame.word((dims) => r.points(dims));
  const values = r.frame.word((dims) => r.values(dims));
  const { declarations, tree } = r.team();
  const body = `if (group >= u32(${points})) { return; }
${r.keptCoordinates('group')}
${r.partials(accumulated)}
for (var f = lane; f < u32(${values}); f += ${TEAM}u) {
${r.step('f', accumulated)}
}
${tree}
if (lane == 0u) {
${r.epilogue((fold) => `team${fold}[0]`)}
}`;
  return new Program('reduce together', slotsOf(kernel), r.frame, body, {
    declarations: `${declarations}\n${gathers(kernel, r.space)}`,
    workgroupSize: TEAM,
  });
}

/** The dtype in which partial results of a fold wait in scratch memory: any of 32 bits that its values fit. */
function waiting(dtype: DType): DType {
  if (isFloat(dtype)) return 'float32';
  return typeOf(dtype) === 'u32' ? 'uint32' : 'int32';
}

/** The pass over pieces, and the one that folds their results. */
function inPieces(kernel: ReduceKernel): { readonly first: Program; readonly second: Program } {
  const scratch = (access: 'read' | 'write'): Slot[] => kernel.folds.map(({ value }) => ({ dtype: waiting(value.dtype), access }));
  const base = kernel.operands.length;
  const pieces = (r: Reduction): string => r.frame.word((dims) => Math.ceil(r.values(dims) / PIECE));

  const one = new Reduction(kernel);
  const inputs = slotsOf(kernel).map((slot): Slot => ({ ...slot, access: 'read' }));
  const team = one.team();
  const count = pieces(one);
  const values = one.frame.word((dims) => one.values(dims));
  const total = one.frame.word((dims) => one.points(dims) * Math.ceil(one.values(dims) / PIECE));
  const first = `if (group >= u32(${total})) { return; }
let point = group / u32(${count});
let start = (group % u32(${count})) * ${PIECE}u;
let end = min(start + ${PIECE}u, u32(${values}));
${one.keptCoordinates('point')}
${one.partials(accumulated)}
for (var f = start + lane; f < end; f += ${TEAM}u) {
${one.step('f', accumulated)}
}
${team.tree}
if (lane == 0u) {
${kernel.folds.map((_, i) => `store${base + i}(i32(group), team${i}[0]);`).join('\n')}
}`;

  const two = new Reduction(kernel);
  const again = two.team();
  const parts = pieces(two);
  const points = two.frame.word((dims) => two.points(dims));
  const second = `if (group >= u32(${points})) { return; }
${two.keptCoordinates('group')}
${two.partials(accumulated)}
for (var f = lane; f < u32(${parts}); f += ${TEAM}u) {
${kernel.folds.map((_, i) => `a${i} = ${two.combine(i, `a${i}`, `load${base + i}(i32(group * u32(${parts}) + f))`)};`).join('\n')}
}
${again.tree}
if (lane == 0u) {
${two.epilogue((fold) => `team${fold}[0]`)}
}`;
  const options = (declarations: string, space: Space): { declarations: string; workgroupSize: number } => ({
    declarations: `${declarations}\n${gathers(kernel, space)}`,
    workgroupSize: TEAM,
  });
  return {
    first: new Program('reduce pieces', [...inputs, ...scratch('write')], one.frame, first, options(team.declarations, one.space)),
    second: new Program(
      'reduce pieces together',
      [...slotsOf(kernel), ...scratch('read')],
      two.frame,
      second,
      options(again.declarations, two.space),
    ),
  };
}

/** Do folded values lie side by side, so that a team reads them in one go where single invocations would not? */
function isDenseAlong(kernel: ReduceKernel, dims: Int32Array): boolean {
  const k = kernel.operands.findIndex(({ space, layout }) => space === 'full' && layout !== 'indexed');
  const at = operandPositions(kernel)[k];
  return at !== undefined && dims[at + kernel.rank] === 1;
}

/** Plans reduces. */
export function prepareReduce(kernel: ReduceKernel, { maxStorageBuffers }: Toolchain): Planner {
  const kept = kernel.rank - kernel.folded;
  const programs: { alone?: Program; together?: Program; pieces?: ReturnType<typeof inPieces> } = {};
  return (dims) => {
    const points = sizeOf(dims, 0, kept - 1);
    const values = sizeOf(dims, kept, kernel.rank - 1);
    if (points === 0) return NOTHING;
    const fits = kernel.operands.length + kernel.folds.length <= maxStorageBuffers;
    if (values >= MANY && points <= FEW_POINTS && fits) {
      const { first, second } = (programs.pieces ??= inPieces(kernel));
      const pieces = points * Math.ceil(values / PIECE);
      const scratch = kernel.folds.map((): number => 4 * pieces);
      const sources: Source[] = [...operandSources(kernel.operands.length), ...kernel.folds.map((_, i) => ({ scratch: i }))];
      return { dispatches: [dispatch(first, sources, dims, pieces), dispatch(second, sources, dims, points)], scratch };
    }
    if (values >= TEAM_FROM && (points < POINTS_ENOUGH || values >= MANY || isDenseAlong(kernel, dims)))
      return single((programs.together ??= together(kernel)), dims, points);
    return single((programs.alone ??= alone(kernel)), dims, Math.ceil(points / TEAM));
  };
}
