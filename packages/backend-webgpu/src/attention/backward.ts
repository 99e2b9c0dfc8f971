/**
 * Attention, backward, in three passes, none of which adds to what another workgroup adds to:
 * 1. for each query, its lse and the product of its result and its gradient, side by side;
 * 2. for 32 queries, through the keys: their gradients;
 * 3. for 32 keys, through the queries of all heads that use them: the gradients of keys and values.
 *
 * The last two make the scores again; so there is no matrix of them, and no sum whose order depends on anything but sizes.
 */

import type { AttentionKernel } from '@gradus/backend';
import type { Toolchain } from '../device/toolchain.ts';
import { dispatch } from '../launch/launch.ts';
import type { Dispatch, Planner } from '../launch/launch.ts';
import type { Program } from '../program/program.ts';
import { RowText, teamGroups, teamSizeFor } from '../rows/team.ts';
import { AttentionText, keyTiles, queryTiles, rowsOfQueries, sizesOf } from './heads.ts';
import { TILE, Tiles, forOtherRows, overOwnRows } from './tiles.ts';

/** A program with where its slots get their memory. */
interface Pass {
  readonly program: Program;
  readonly sources: Dispatch['sources'];
}

function numbersPass(kernel: AttentionKernel): Pass {
  const text = new AttentionText(kernel, ['y', 'lse', 'gradient'], 'write');
  const rows = new RowText(
    teamSizeFor(kernel.headDim),
    (dims) => rowsOfQueries(sizesOf(dims)),
    () => kernel.headDim,
    text.frame,
  );
  const load = (name: string): string => `load${text.slot(name)}(${text.offset(name)} + first + i32(c))`;
  const body = `${rows.sum('along', 'f32', '', `${load('gradient')} * ${load('y')}`)}
if (isRow && member == 0u) {
${text.storeNumbers('row', `load${text.slot('lse')}(${text.offset('lse')} + i32(row))`, 'along')}
}`;
  return { program: rows.program('attention backward: numbers of queries', text.slots, body), sources: text.sources };
}

function queriesPass(kernel: AttentionKernel, { workgroupBytes }: Toolchain): Pass {
  const text = new AttentionText(kernel, ['q', 'k', 'v', 'mask', 'gradient', 'gradient of q'], 'read');
  const tiles = new Tiles(kernel.headDim, workgroupBytes, 2);
  const keys = text.rows('k', 'keyHead', 'first');
  const slope = (j: number, key: string): string =>
    `s${j} = powers(scores(s${j}, image, start + ownRows, vec4i(first + ${key})), lse) * (g${j} - along);`;
  const body = `${text.ofQueries}
${tiles.opening}
let lse = ${overOwnRows((query) => `query_numbers(head, start + ${query}).x`)};
let along = ${overOwnRows((query) => `query_numbers(head, start + ${query}).y`)};
${tiles.declare('sum')}
for (var first = 0; first < ${text.keysEnd('start')}; first += ${TILE}) {
${tiles.products('s', text.rows('q', 'head', 'start'), keys)}
${tiles.products('g', text.rows('gradient', 'head', 'start'), text.rows('v', 'keyHead', 'first'))}
${forOtherRows(slope)}
${tiles.share('s')}
${tiles.accumulate('sum', keys, null)}
}
${tiles.store('sum', text.rows('gradient of q', 'head', 'start'), text.scale)}`;
  return { program: text.program('attention backward: queries', tiles.declarations, body), sources: text.sources };
}

function keysPass(kernel: AttentionKernel, { workgroupBytes }: Toolchain): Pass {
  const text = new AttentionText(kernel, ['q', 'k', 'v', 'mask', 'gradient', 'gradient of k', 'gradient of v'], 'read');
  const tiles = new Tiles(kernel.headDim, workgroupBytes, 2);
  const queries = text.rows('q', 'head', 'first');
  const gradients = text.rows('gradient', 'head', 'first');
  const slope = (j: number, query: string): string => `{
let numbers = query_numbers(head, first + ${query});
s${j} = powers(scores(s${j}, image, vec4i(first + ${query}), start + ownRows), vec4f(numbers.x));
g${j} = s${j} * (g${j} - numbers.y);
}`;
  const body = `${text.ofKeys}
${tiles.opening}
${tiles.declare('keySums')}
${tiles.declare('valueSums')}
for (var head = firstHead; head < firstHead + ${text.sharing}; head++) {
for (var first = ${kernel.causal ? 'start' : '0'}; first < ${text.size('T')}; first += ${TILE}) {
${tiles.products('s', text.rows('k', 'keyHead', 'start'), queries)}
${tiles.products('g', text.rows('v', 'keyHead', 'start'), gradients)}
${forOtherRows(slope)}
${tiles.share('s')}
${tiles.accumulate('valueSums', gradients, null)}
${tiles.share('g')}
${tiles.accumulate('keySums', queries, null)}
}
}
${tiles.store('keySums', text.rows('gradient of k', 'keyHead', 'start'), text.scale)}
${tiles.store('valueSums', text.rows('gradient of v', 'keyHead', 'start'), '1f')}`;
  return { program: text.program('attention backward: keys', tiles.declarations, body), sources: text.sources };
}

/** Plans attention, backward. */
export function prepareBackward(kernel: AttentionKernel, toolchain: Toolchain): Planner {
  const numbers = numbersPass(kernel);
  const ofQueries = queriesPass(kernel, toolchain);
  const ofKeys = keysPass(kernel, toolchain);
  return (dims) => {
    const sizes = sizesOf(dims);
    const rows = rowsOfQueries(sizes);
    const counted: readonly (readonly [Pass, number])[] = [
      [numbers, teamGroups(rows, teamSizeFor(kernel.headDim))],
      [ofQueries, queryTiles(sizes)],
      [ofKeys, keyTiles(sizes)],
    ];
    const dispatches = counted.flatMap(([{ program, sources }, groups]) => (groups === 0 ? [] : [dispatch(program, sources, dims, groups)]));
    // Two numbers for each query, and something to bind where there is none.
    return { dispatches, scratch: [Math.max(2 * rows, 1) * 4] };
  };
}
