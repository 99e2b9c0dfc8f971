/**
 * The support matrix of the docs, from runs: each op on each backend, its values against the float64 reference, its gradients of first and
 * second order against those of the reference backend in float64, and compiled against not compiled. `vitest -u` writes it anew.
 */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import { wasm } from '@gradus/backend-wasm';
import { TraceError, compile, scope } from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import { expect, test } from 'vitest';
import type { OpSpecification } from '../src/ops/specification.spec.ts';
import { closeTo, eachCase, expected, gradientsOf, run, scaleOf, secondGradientsOf, specifications, toTensor } from './specifications.ts';

const VALUES = 4e-6;
const GRADIENTS = 2e-5;

const reference = cpu();

/** One run of one op on one device; it throws where the numbers are not right. */
type Check = (specification: OpSpecification, device: Device, float64Only: boolean) => void;

const forward: Check = (specification, device, float64Only) => {
  for (const { inputs, values } of cases(specification)) {
    const tolerance = Math.max(specification.tolerance ?? 0, VALUES);
    closeTo(
      run(specification, inputs, values, float64Only ? 'float64' : 'float32', device),
      expected(specification, inputs, values).data,
      tolerance,
      VALUES,
      '',
    );
  }
};

const gradientCheck =
  (find: typeof gradientsOf): Check =>
  (specification, device) => {
    for (const { inputs, values } of cases(specification)) {
      const found = find(specification, inputs, values, 'float32', device);
      const wanted = find(specification, inputs, values, 'float64', reference);
      wanted.forEach((numbers, k) => {
        closeTo(found[k] ?? [], numbers, 0, GRADIENTS * scaleOf(numbers), '');
      });
    }
  };

const compiled: Check = (specification, device) => {
  for (const { inputs, values } of cases(specification)) {
    const call = compile((...tensors: Tensor[]) => specification.run(...tensors));
    const plain = run(specification, inputs, values, 'float32', device);
    for (let i = 0; i < 2; i++) closeTo(run({ ...specification, run: call }, inputs, values, 'float32', device), plain, 0, 0, '');
    call.dispose();
  }
};

const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ['forward', forward],
  ['gradient', gradientCheck(gradientsOf)],
  ['second order', gradientCheck(secondGradientsOf)],
  ['compiled', compiled],
];

/** Cases with values that float32 has, so that all sides calculate with the same. */
const cases = (specification: OpSpecification): ReturnType<typeof eachCase> =>
  eachCase(specification).map(({ inputs, values }) => ({ inputs, values: values.map((v) => Float64Array.from(v, Math.fround)) }));

/** What a check says of an op. */
function cellOf(name: string, check: () => void): string {
  try {
    check();
    return '✓';
  } catch (error) {
    return error instanceof TraceError ? 'host' : `✗ ${name}`;
  }
}

/** Why an op has no gradient, from its result: whole numbers and truth values do not change continuously. */
function reasonWithout(specification: OpSpecification): string {
  const [{ inputs, values } = { inputs: [], values: [] }] = cases(specification);
  const dtype = scope(
    () => specification.run(...inputs.map((input, i) => toTensor(input, values[i] ?? new Float64Array(), 'float32', reference))).dtype,
  );
  return dtype === 'bool' ? 'a truth value' : dtype.startsWith('float') ? 'piecewise constant' : 'a whole number';
}

const INTRODUCTION = `# Support matrix

Made by \`packages/tensor/test/support-matrix.test.ts\` from the specifications of the ops; do not edit. For each backend: the values agree with a
float64 reference, the gradients and the gradients of gradients with those in float64 (which agree with central differences), and a
compiled function gives the bits of the plain one. "any backend" has the three required kernels and nothing else: what every backend
supports. ✓ passes, ✗ does not, – has no gradient, for the reason given; "host" is calculated on the host, so that compiled functions refuse it.
`;

test('every op works on every backend, to the second order', { timeout: 300_000 }, async () => {
  const devices: readonly (readonly [name: string, device: Device])[] = [
    ['cpu', reference],
    ['wasm', await wasm()],
    ['any backend', withoutFastPaths(cpu())],
  ];
  const head = ['op', ...devices.flatMap(([name]) => CHECKS.map(([check]) => `${name}: ${check}`)), 'without gradient'];
  const rows = specifications.map((specification) => {
    const float64Only = specification.name === 'toDType';
    const has = specification.differentiable !== false;
    const cells = devices.flatMap(([, device]) =>
      CHECKS.map(([name, check], i) => {
        if (!has && (i === 1 || i === 2)) return '–';
        if (float64Only && device.name === 'wasm') return 'no float64';
        return cellOf(name, () => check(specification, device, float64Only));
      }),
    );
    return [specification.name, ...cells, has ? '' : reasonWithout(specification)];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  expect(rows.filter((cells) => cells.some((cell) => cell.startsWith('✗')))).toEqual([]);
  await expect(`${INTRODUCTION}\n${table}\n`).toMatchFileSnapshot('../../../docs/support-matrix.md');
});
