/**
 * Attention, forward: a workgroup has 32 queries of one head and goes through the keys, a tile at a time. What it has so far is the largest score of
 * each query, and the sum of powers and of weighted values relative to that; with a larger score both shrink (Milakov and Gimelshein, "Online
 * normalizer calculation for softmax", 2018).
 */

import type { AttentionKernel } from '@gradus/backend';
import type { Toolchain } from '../device/toolchain.ts';
import { NOTHING, dispatch } from '../launch/launch.ts';
import type { Planner } from '../launch/launch.ts';
import { AttentionText, queryTiles, sizesOf } from './heads.ts';
import { TILE, Tiles, forOtherRows } from './tiles.ts';

/** Plans attention, forward. */
export function prepareForward(kernel: AttentionKernel, { workgroupBytes }: Toolchain): Planner {
  const text = new AttentionText(kernel, ['q', 'k', 'v', 'mask', 'y', 'lse'], null);
  const tiles = new Tiles(kernel.headDim, workgroupBytes, 1);
  const queries = text.rows('q', 'head', 'start');
  const keys = text.rows('k', 'keyHead', 'first');
  const score = (j: number, key: string): string => `s${j} = scores(s${j}, image, start + ownRows, vec4i(first + ${key}));`;
  const body = `${text.ofQueries}
${tiles.opening}
var top = vec4f(float_of(0xff800000u));
var total = vec4f();
${tiles.declare('sum')}
${tiles.hold(queries)}
for (var first = 0; first < ${text.keysEnd('start')}; first += ${TILE}) {
${tiles.products('s', queries, keys)}
${forOtherRows(score)}
${tiles.acrossLanes('largest', 'max(max(top, max(s0, s1)), max(s2, s3))', 'max(a, b)')}
let decay = powers(top, largest);
top = largest;
${forOtherRows((j) => `s${j} = powers(s${j}, top);`)}
total = total * decay + ((s0 + s1) + (s2 + s3));
${tiles.share('s')}
${tiles.accumulate('sum', text.rows('v', 'keyHead', 'first'), 'decay')}
}
${tiles.acrossLanes('powersOfAll', 'total', 'a + b')}
let factor = select(1f / powersOfAll, vec4f(), powersOfAll == vec4f());
${tiles.store('sum', text.rows('y', 'head', 'start'), 'factor')}
for (var j = 0; across == 0u && j < 4; j++) {
let query = start + ownRows[j];
if (query < ${text.size('T')}) { store${text.slot('lse')}(${text.offset('lse')} + head * ${text.size('T')} + query, top[j] + float_log(powersOfAll[j])); }
}`;
  const program = text.program('attention forward', tiles.declarations, body);
  return (dims) => {
    const groups = queryTiles(sizesOf(dims));
    return groups === 0 ? NOTHING : { dispatches: [dispatch(program, text.sources, dims, groups)], scratch: [] };
  };
}
