/** The launch of a scatter op: input 2 combined into the copy of input 0 that is already in the slot's memory, at positions from input 1. */

import { bytesPerElement, operandPositions } from '@gradus/backend';
import type { Backend, Kernel, Operand } from '@gradus/backend';
import { internalError } from '../internal.ts';
import { Expresser } from './express.ts';
import type { Access, Placement } from './express.ts';
import { finish } from './finish.ts';
import type { Launch } from './group.ts';
import type { Item } from './item.ts';
import { coalesce, layoutOf, stridesIn } from './space.ts';
import { expandView } from './view.ts';

/** Builds it over the index space of input 1 (the index), which input 2 (the source) broadcasts to. */
export function scatterLaunch(item: Item, placement: Placement, backend: Backend): Launch {
  const { lowering } = item.op;
  if (lowering.kind !== 'scatter') return internalError(`${item.op.name} is no scatter`);
  const [, index = 0, source = 0] = item.inputs;
  const dims = placement.items[index]?.dims ?? [];
  const expresser = new Expresser(placement, new Map());
  const places = lowering.position(expresser.express(index, null), { ...item.site, ...expresser.contextOver(dims, index) });
  const elements = expresser.express(
    source,
    expresser.startChain((view) => expandView(view, dims), source),
  );

  const views = [...expresser.accesses.flatMap((a) => (a.view === null ? [] : [a.view])), ...expresser.positions];
  const space = coalesce(dims, 0, dims.length, views);
  const operandOf = (a: Access): Operand => ({
    dtype: a.dtype,
    access: 'read',
    layout: a.view === null ? 'indexed' : layoutOf(space.sizes, stridesIn(space, a.view)),
    space: 'full',
  });
  const target: Operand = { dtype: item.dtype, access: 'readWrite', layout: 'indexed', space: 'full' };
  const operands = [...expresser.accesses.map(operandOf), target];
  const [position = places, value = elements] = finish([places, elements], {
    operandOf: (access) => access,
    positions: expresser.positions,
    space,
    scalars: expresser.scalars,
  });
  const kernel: Kernel = {
    kind: 'scatter',
    rank: space.sizes.length,
    mode: lowering.mode,
    operands,
    scalars: [],
    target: operands.length - 1,
    position,
    value,
    deterministic: true,
  };
  const whole: Kernel = { ...kernel, scalars: expresser.scalars.map((s) => s.dtype) };
  if (!backend.supports(whole)) internalError(`${backend.name} refuses a scatter of ${item.dtype} (${bytesPerElement(item.dtype)} bytes)`);
  const entries = expresser.accesses.map((a) => (a.view === null ? [a.offset ?? 0, a.length ?? 0] : [a.view.offset, ...stridesIn(space, a.view)]));
  return {
    kernel: whole,
    dims: Int32Array.from([...space.sizes, ...entries.flat(), 0, item.size]),
    blocks: [...expresser.accesses.map((a) => ({ slot: a.slot })), { slot: item.slot }],
    scalars: expresser.scalars,
    offsets: operandPositions(whole).slice(0, -1),
  };
}
