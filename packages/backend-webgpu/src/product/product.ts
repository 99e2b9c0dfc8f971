/** Plans products: the tile that their sizes get, a program for it, and a second pass where spans are shared among workgroups. */

import type { DType } from '@gradus/backend';
import type { Toolchain } from '../device/toolchain.ts';
import { slotsOf } from '../kernels/expressions.ts';
import { NOTHING, dispatch, operandSources, single } from '../launch/launch.ts';
import type { Launch, Planner } from '../launch/launch.ts';
import { Frame } from '../program/frame.ts';
import { Program } from '../program/program.ts';
import type { Slot } from '../program/program.ts';
import { typeOf } from '../wgsl/language.ts';
import type { Factor, FactorPlan } from './factor.ts';
import { WORKGROUP, finishedAtOnce, leftInScratch, pointsOf, spansTogether } from './result.ts';
import type { Placement, ProductKernel } from './result.ts';
import { tiledText } from './tiled.ts';
import type { SumType } from './tiled.ts';
import { TILES, chooseTile, scratchOf, spanOf, spansOf, tilesAlong, workgroupsOf } from './tiles.ts';
import type { ProductShape, TileChoice } from './tiles.ts';

/** What a kind of kernel says about itself as a product. */
export interface ProductRules {
  readonly kernel: ProductKernel;
  /** Axes of the kept space. */
  readonly rank: number;
  /** In what products are added up. */
  readonly accumulate: DType;
  readonly shape: (dims: Int32Array) => ProductShape;
  /** How the factors can be read in a run of these sizes. */
  readonly factors: (dims: Int32Array) => readonly [FactorPlan, FactorPlan];
  /** The number of a point; `m` and `n` are the texts of the bounds of rows and columns. */
  readonly point: (frame: Frame, m: string, n: string) => string;
  /** Sums of a fixed number of values, each scaled on its own; no other spans are made then. */
  readonly groups?: {
    readonly size: number;
    readonly totalType: SumType;
    readonly declarations: (frame: Frame) => string;
    readonly scaled: (value: string, column: string, span: string) => string;
  };
}

/** A program for one choice and one way to read the factors. */
function tiledProgram(rules: ProductRules, plans: readonly [FactorPlan, FactorPlan], { tile: name, split }: TileChoice): Program {
  const { kernel, groups } = rules;
  const tile = TILES[name];
  const frame = new Frame();
  const word = (rule: (shape: ProductShape) => number): string => `u32(${frame.word((dims) => rule(rules.shape(dims)))})`;
  const [m, n, k] = [word((shape) => shape.m), word((shape) => shape.n), word((shape) => shape.k)];
  const type = sumType(rules.accumulate);
  const totalType = groups?.totalType ?? type;
  const placement: Placement = { m, n, point: rules.point(frame, m, n) };
  const [first, second] = plans;
  const [a, b]: readonly [Factor, Factor] = [first.make(frame, { outer: m, inner: k }), second.make(frame, { outer: n, inner: k })];
  const finish = split ? leftInScratch(kernel, frame, 2, placement, totalType) : finishedAtOnce(kernel, frame, rules.rank, placement, totalType);
  const { body, declarations, workgroupSize } = tiledText({
    tile,
    a,
    b,
    type,
    totalType,
    k,
    span: groups === undefined ? word((shape) => spanOf(shape.k)) : `${groups.size}u`,
    tilesDown: word((shape) => tilesAlong(shape.m, tile.rows)),
    tilesAcross: word((shape) => tilesAlong(shape.n, tile.columns)),
    groups: word((shape) => workgroupsOf(shape, { tile: name, split })),
    spans: split ? word((shape) => spansOf(shape.k)) : null,
    scaled: groups?.scaled ?? ((value) => value),
    finish,
  });
  const operands = slotsOf(kernel).map((slot, at): Slot =>
    plans.some(({ operand, vector }) => operand === at && vector) ? { ...slot, vector: true } : slot,
  );
  const slots = split ? [...operands.slice(0, 2), scratchSlot(totalType, 'write')] : operands;
  return new Program(`${kernel.kind} ${name}${split ? ' by spans' : ''}`, slots, frame, body, {
    declarations: `${groups?.declarations(frame) ?? ''}\n${declarations}`,
    workgroupSize,
  });
}

function sumType(dtype: DType): SumType {
  const type = typeOf(dtype);
  return type === 'bool' ? 'u32' : type;
}

function scratchSlot(type: SumType, access: 'read' | 'write'): Slot {
  return { dtype: type === 'f32' ? 'float32' : type === 'i32' ? 'int32' : 'uint32', access };
}

/** Plans runs of a product. */
export function prepareProduct(rules: ProductRules, toolchain: Toolchain): Planner {
  const { kernel } = rules;
  const programs = new Map<string, Program>();
  let together: Program | null = null;
  const splits = rules.groups === undefined && kernel.operands.length < toolchain.maxStorageBuffers;
  const type = sumType(rules.accumulate);

  const launch = (dims: Int32Array, shape: ProductShape, choice: TileChoice): Launch => {
    const plans = rules.factors(dims);
    const key = `${choice.tile},${choice.split},${plans[0].key},${plans[1].key}`;
    let program = programs.get(key);
    if (program === undefined) programs.set(key, (program = tiledProgram(rules, plans, choice)));
    const groups = workgroupsOf(shape, choice);
    if (!choice.split) return single(program, dims, groups);
    together ??= spansTogether(kernel, rules.rank, type, scratchSlot(type, 'read'), (of) => spansOf(rules.shape(of).k));
    const points = pointsOf(kernel, dims);
    return {
      dispatches: [
        dispatch(program, [{ operand: 0 }, { operand: 1 }, { scratch: 0 }], dims, groups),
        dispatch(together, [...operandSources(kernel.operands.length), { scratch: 0 }], dims, Math.ceil(points / WORKGROUP)),
      ],
      scratch: [scratchOf(shape)],
    };
  };

  return (dims) => {
    if (pointsOf(kernel, dims) === 0) return NOTHING;
    const shape = rules.shape(dims);
    return launch(dims, shape, chooseTile(shape, { splits }, toolchain.tuned));
  };
}
