/**
 * Threefry-2×32 with 20 rounds: random bits as a function of a key and a counter, the same on every device.
 *
 * Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. Twice in this file: as a scalar expression, for
 * kernels, and on the host, for shuffles; a test holds the two together.
 */

import { apply, constant } from '@gradus/backend';
import type { Expression } from '@gradus/backend';

/** Rotation distances of rounds 0 to 7; they repeat. */
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const ROUNDS = 20;
/** The parity constant of the key schedule, from the paper. */
const PARITY = 0x1bd11bda;

const word = (value: number): Expression => constant('uint32', value >>> 0);

function rotateLeft(x: Expression, by: number): Expression {
  return apply('or', apply('shiftLeft', x, word(by)), apply('shiftRight', x, word(32 - by)));
}

/** Two random words, as expressions of key and counter words (all uint32). */
export function threefryExpression(key: readonly [Expression, Expression], counter: readonly [Expression, Expression]): [Expression, Expression] {
  const keys = [key[0], key[1], apply('xor', apply('xor', key[0], key[1]), word(PARITY))] as const;
  let x = apply('add', counter[0], keys[0]) as Expression;
  let y = apply('add', counter[1], keys[1]) as Expression;
  for (let round = 0; round < ROUNDS; round++) {
    x = apply('add', x, y);
    y = apply('xor', rotateLeft(y, ROTATIONS[(round % 8) as 0]), x);
    if (round % 4 !== 3) continue;
    const injection = (round + 1) / 4;
    x = apply('add', x, keys[(injection % 3) as 0]);
    y = apply('add', apply('add', y, keys[((injection + 1) % 3) as 0]), word(injection));
  }
  return [x, y];
}

/** Two random words from two words of key and two of counter, on the host: the bits that random tensors are made of. */
export function threefry(key: readonly [number, number], counter: readonly [number, number]): [number, number] {
  const keys = [key[0], key[1], key[0] ^ key[1] ^ PARITY] as const;
  let x = (counter[0] + keys[0]) | 0;
  let y = (counter[1] + keys[1]) | 0;
  for (let round = 0; round < ROUNDS; round++) {
    const by = ROTATIONS[(round % 8) as 0];
    x = (x + y) | 0;
    y = ((y << by) | (y >>> (32 - by))) ^ x;
    if (round % 4 !== 3) continue;
    const injection = (round + 1) / 4;
    x = (x + keys[(injection % 3) as 0]) | 0;
    y = (y + keys[((injection + 1) % 3) as 0] + injection) | 0;
  }
  return [x >>> 0, y >>> 0];
}
