import { apply, bitcast, cast, constant, gather, scalar, where } from '@gradus/backend';
import type { DType, Opcode } from '@gradus/backend';
import { describe, expect, test } from 'vitest';

import { WAYS, compute, deviceOf, operand, put, run, get } from '../../test/support.ts';

const INT_MIN = -(2 ** 31);
const UINT_MAX = 2 ** 32 - 1;
/** Between 1 and the float32 after it. */
const BETWEEN = 1 + 2 ** -30;

/** dtype, opcode, arguments, result. */
type Row = readonly [DType, Opcode, readonly number[], number];

const ROWS: readonly Row[] = [
  ['float32', 'negate', [0], -0],
  ['float32', 'abs', [-0], 0],
  ['float32', 'abs', [-3.5], 3.5],
  ['float32', 'floor', [-1.5], -2],
  ['float32', 'ceil', [-1.5], -1],
  ['float32', 'truncate', [-1.5], -1],
  ['float32', 'round', [0.5], 0],
  ['float32', 'round', [1.5], 2],
  ['float32', 'round', [2.5], 2],
  ['float32', 'round', [-0.5], -0],
  ['float32', 'round', [-0], -0],
  ['float32', 'round', [-2.5], -2],
  ['float64', 'round', [0.49999999999999994], 0],
  ['float64', 'round', [4503599627370495.5], 4503599627370496],
  ['float64', 'round', [-4503599627370497], -4503599627370497],
  ['float64', 'round', [Infinity], Infinity],
  ['float64', 'round', [NaN], NaN],
  ['float32', 'sqrt', [2], Math.fround(Math.SQRT2)],
  ['float32', 'exp', [1], Math.fround(Math.E)],
  ['float32', 'log', [0], -Infinity],
  ['float32', 'log', [-1], NaN],
  ['float32', 'sin', [1], Math.fround(0.8414709848078965)],
  ['float32', 'cos', [1], Math.fround(0.5403023058681398)],
  ['float32', 'tanh', [1], Math.fround(0.7615941559557649)],
  ['float32', 'atan', [1], Math.fround(Math.PI / 4)],
  ['float32', 'erf', [1], Math.fround(0.8427007929497149)],
  ['float64', 'exp', [1], Math.E],
  ['float32', 'add', [16777216, 1], 16777216],
  ['float64', 'add', [16777216, 1], 16777217],
  ['float32', 'multiply', [3.4e38, 10], Infinity],
  ['float32', 'multiply', [Math.fround(1e-40), 1], Math.fround(1e-40)],
  ['float32', 'divide', [1, 3], Math.fround(1 / 3)],
  ['float32', 'divide', [1, -0], -Infinity],
  ['float32', 'subtract', [Infinity, Infinity], NaN],
  ['float32', 'remainder', [-5.5, 2], -1.5],
  ['float32', 'remainder', [5.5, -2], 1.5],
  ['float32', 'remainder', [1, 0], NaN],
  ['float32', 'remainder', [-1, 1], -0],
  ['float32', 'pow', [NaN, 0], 1],
  ['float32', 'pow', [1, NaN], 1],
  ['float32', 'pow', [1, Infinity], 1],
  ['float32', 'pow', [-1, -Infinity], 1],
  ['float32', 'pow', [NaN, 1], NaN],
  ['float32', 'pow', [-8, 1 / 3], NaN],
  ['float32', 'pow', [2, 0.5], Math.fround(Math.SQRT2)],
  ['float32', 'min', [1, NaN], NaN],
  ['float32', 'max', [NaN, 1], NaN],
  ['float32', 'max', [-0, 0], 0],
  ['float32', 'min', [0, -0], -0],
  ['float32', 'less', [1, NaN], 0],
  ['float32', 'lessEqual', [NaN, NaN], 0],
  ['float32', 'equal', [NaN, NaN], 0],
  ['float32', 'notEqual', [NaN, NaN], 1],
  ['float32', 'equal', [-0, 0], 1],
  ['float32', 'lessEqual', [1, 1], 1],
  ['int32', 'negate', [INT_MIN], INT_MIN],
  ['int32', 'abs', [INT_MIN], INT_MIN],
  ['int32', 'not', [5], -6],
  ['int32', 'add', [2 ** 31 - 1, 1], INT_MIN],
  ['int32', 'subtract', [INT_MIN, 1], 2 ** 31 - 1],
  ['int32', 'multiply', [123456789, 987654321], -67153019],
  ['int32', 'divide', [-7, 2], -3],
  ['int32', 'divide', [7, 0], 0],
  ['int32', 'divide', [INT_MIN, -1], INT_MIN],
  ['int32', 'remainder', [-7, 3], -1],
  ['int32', 'remainder', [7, 0], 0],
  ['int32', 'remainder', [INT_MIN, -1], 0],
  ['int32', 'remainder', [-4, 2], 0],
  ['int32', 'min', [-1, 1], -1],
  ['int32', 'max', [-1, 1], 1],
  ['int32', 'less', [-1, 1], 1],
  ['int32', 'and', [-2, 7], 6],
  ['int32', 'or', [-8, 3], -5],
  ['int32', 'xor', [-1, 5], -6],
  ['int32', 'shiftLeft', [1, 33], 2],
  ['int32', 'shiftLeft', [3, 31], INT_MIN],
  ['int32', 'shiftRight', [-8, 1], -4],
  ['uint32', 'add', [UINT_MAX, 1], 0],
  ['uint32', 'subtract', [0, 1], UINT_MAX],
  ['uint32', 'multiply', [UINT_MAX, UINT_MAX], 1],
  ['uint32', 'multiply', [123456789, 987654321], 4227814277],
  ['uint32', 'divide', [UINT_MAX, 2], 2147483647],
  ['uint32', 'divide', [UINT_MAX, UINT_MAX], 1],
  ['uint32', 'divide', [1, 0], 0],
  ['uint32', 'remainder', [UINT_MAX, 10], 5],
  ['uint32', 'remainder', [1, 0], 0],
  ['uint32', 'less', [1, UINT_MAX], 1],
  ['uint32', 'max', [1, UINT_MAX], UINT_MAX],
  ['uint32', 'not', [0], UINT_MAX],
  ['uint32', 'or', [2 ** 31, 1], 2 ** 31 + 1],
  ['uint32', 'shiftLeft', [UINT_MAX, 4], UINT_MAX - 15],
  ['uint32', 'shiftRight', [UINT_MAX, 31], 1],
  ['int8', 'add', [127, 1], -128],
  ['int8', 'multiply', [100, 100], 16],
  ['int8', 'negate', [-128], -128],
  ['int8', 'divide', [-128, -1], -128],
  ['int8', 'not', [0], -1],
  ['uint8', 'add', [255, 2], 1],
  ['uint8', 'subtract', [0, 1], 255],
  ['uint8', 'multiply', [200, 200], 64],
  ['uint8', 'not', [1], 254],
  ['bool', 'not', [1], 0],
  ['bool', 'and', [1, 0], 0],
  ['bool', 'or', [1, 0], 1],
  ['bool', 'xor', [1, 1], 0],
  ['bool', 'equal', [1, 1], 1],
  ['bool', 'less', [0, 1], 1],
];

describe.each(WAYS)('operators, %s', (way) => {
  const device = deviceOf(way);

  test.each(ROWS)('%s %s of %j is %d', (dtype, op, args, expected) => {
    const columns = args.map((value) => ({ dtype, values: [value] }));
    expect(compute(device, columns, (a, b) => apply(op, a ?? constant(dtype, 0), b))).toEqual([expected]);
    // The same with literals instead of loads.
    expect(compute(device, [], () => apply(op, constant(dtype, args[0] ?? 0), args[1] === undefined ? undefined : constant(dtype, args[1])))).toEqual(
      [expected],
    );
  });

  test('every float32 operation rounds: a * b + c is not fused', () => {
    const [a, b, c] = [Math.fround(1.1), Math.fround(1.3), Math.fround(-1.43)];
    const columns = [a, b, c].map((value) => ({ dtype: 'float32' as const, values: [value] }));
    const zero = constant('float32', 0);
    const values = compute(device, columns, (x = zero, y = zero, z = zero) => apply('add', apply('multiply', x, y), z));
    expect(values).toEqual([Math.fround(Math.fround(a * b) + c)]);
    expect(values).not.toEqual([Math.fround(a * b + c)]);
  });
});

/** from, to, value, result. */
const CASTS: readonly (readonly [DType, DType, number, number])[] = [
  ['float64', 'float32', 0.1, Math.fround(0.1)],
  ['float64', 'float32', 1e300, Infinity],
  ['float32', 'float64', Math.fround(0.1), Math.fround(0.1)],
  ['float32', 'int32', -1.9, -1],
  ['float32', 'int32', 3e9, 2 ** 31 - 1],
  ['float32', 'int32', -Infinity, INT_MIN],
  ['float32', 'int32', NaN, 0],
  ['float64', 'int32', 2147483647.5, 2147483647],
  ['float32', 'uint32', -5, 0],
  ['float64', 'uint32', 4294967294.9, 4294967294],
  ['float32', 'uint32', Infinity, UINT_MAX],
  ['float32', 'int8', 200, 127],
  ['float32', 'int8', -128.5, -128],
  ['float32', 'uint8', 255.9, 255],
  ['float32', 'uint8', NaN, 0],
  ['int32', 'int8', 300, 44],
  ['int32', 'uint8', -1, 255],
  ['int32', 'uint32', -1, UINT_MAX],
  ['uint32', 'int32', UINT_MAX, -1],
  ['int32', 'float32', 16777217, 16777216],
  ['uint32', 'float64', UINT_MAX, UINT_MAX],
  ['float32', 'bool', 0.5, 1],
  ['float32', 'bool', -0, 0],
  ['float32', 'bool', NaN, 1],
  ['int32', 'bool', -3, 1],
  ['bool', 'float32', 1, 1],
  ['bool', 'int8', 1, 1],
  ['float32', 'float16', 65519, 65504],
  ['float32', 'float16', 65520, Infinity],
  ['float32', 'float16', 2 ** -25, 0],
  ['float16', 'float32', 0.333251953125, 0.333251953125],
  ['float32', 'bfloat16', BETWEEN, 1],
  ['bfloat16', 'float32', 3.140625, 3.140625],
  ['int32', 'float16', 2049, 2048],
];

describe.each(WAYS)('conversions, %s', (way) => {
  const device = deviceOf(way);

  test.each(CASTS)('%s to %s: %d gives %d', (from, to, value, expected) => {
    expect(compute(device, [{ dtype: from, values: [value] }], (x = constant(from, 0)) => cast(x, to))).toEqual([expected]);
  });

  test('a cast to float16 inside an expression rounds', () => {
    expect(compute(device, [{ dtype: 'float32', values: [2049] }], (x = constant('float32', 0)) => cast(cast(x, 'float16'), 'float32'))).toEqual([
      2048,
    ]);
    expect(compute(device, [{ dtype: 'float64', values: [257] }], (x = constant('float64', 0)) => cast(cast(x, 'bfloat16'), 'float64'))).toEqual([
      256,
    ]);
  });

  test('bitcasts keep the bits', () => {
    expect(compute(device, [{ dtype: 'float32', values: [-1] }], (x = constant('float32', 0)) => bitcast(x, 'int32'))).toEqual([-1082130432]);
    expect(compute(device, [{ dtype: 'float32', values: [-1] }], (x = constant('float32', 0)) => bitcast(x, 'uint32'))).toEqual([3212836864]);
    expect(compute(device, [{ dtype: 'uint32', values: [3212836864] }], (x = constant('uint32', 0)) => bitcast(x, 'float32'))).toEqual([-1]);
    expect(compute(device, [{ dtype: 'uint32', values: [UINT_MAX] }], (x = constant('uint32', 0)) => bitcast(x, 'int32'))).toEqual([-1]);
    expect(compute(device, [{ dtype: 'int32', values: [-1] }], (x = constant('int32', 0)) => bitcast(x, 'uint32'))).toEqual([UINT_MAX]);
  });

  test.each([
    ['float32', 0.1, Math.fround(0.1)],
    ['float16', 2049, 2048],
    ['int32', 2 ** 31, INT_MIN],
    ['uint32', -1, UINT_MAX],
    ['int8', 128, -128],
    ['uint8', 256, 0],
    ['bool', 2, 1],
  ] as const)('a %s scalar of %d is taken as %d', (dtype, value, expected) => {
    expect(compute(device, [], () => scalar(dtype, 0), [{ dtype, values: [value] }])).toEqual([expected]);
  });

  test('where chooses by its condition', () => {
    const columns = [
      { dtype: 'bool' as const, values: [0, 1] },
      { dtype: 'float32' as const, values: [1, 2] },
    ];
    expect(compute(device, columns, (c = constant('bool', 0), x = constant('float32', 0)) => where(c, x, constant('float32', -1)))).toEqual([-1, 2]);
  });
});

describe.each(WAYS)('gather, %s', (way) => {
  test('gives the fill, in its dtype, outside the length', () => {
    const device = deviceOf(way);
    const source = put(device, 'float32', [9, 10, 20, 30, 9]);
    const position = put(device, 'int32', [0, 2, 3, -1, 2147483647]);
    const result = device.allocate(20);
    run(
      device,
      {
        kind: 'map',
        rank: 1,
        operands: [operand('int32'), operand('float32', 'read', 'indexed'), operand('float32', 'write')],
        scalars: [],
        outputs: [{ operand: 2, value: gather('float32', 1, { op: 'load', dtype: 'int32', operand: 0 }, 0.1) }],
      },
      [position, source, result],
      [5, 0, 1, 1, 3, 0, 1],
    );
    const fill = Math.fround(0.1);
    expect(get(device, result, 'float32')).toEqual([10, 30, fill, fill, fill]);
  });
});
