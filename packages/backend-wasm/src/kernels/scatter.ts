/** `scatter`: every point in row-major order, one at a time, since duplicates apply in source order. */

import type { ScatterKernel } from '@gradus/backend';
import { DTYPES } from '@gradus/backend';
import type { Code, Local } from '../assembler/code.ts';
import { i32 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { I32 } from '../assembler/value.ts';
import type { Toolchain } from '../engine/toolchain.ts';
import { scalarElements } from '../lanes/elements.ts';
import { Evaluator, wrap } from '../lanes/expressions.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { Frame, FrameLayout } from '../launch/frame.ts';
import { NOTHING, onePhase } from '../launch/launch.ts';
import type { UnitCode } from '../launch/launch.ts';
import type { Loop } from '../lowering/loops.ts';
import { namedAxes, spaceOf } from '../lowering/space.ts';
import { NO_ACCUMULATORS, inFloats, sourcesAt, storedDType } from './point.ts';
import type { Point } from './point.ts';
import { commonWords } from './prepare-map.ts';
import type { Planner } from './prepare-map.ts';

function writeScatter(module: ModuleWriter, kernel: ScatterKernel, layout: FrameLayout): void {
  module.function(
    ['i32', 'i32', 'i32'],
    null,
    (code) => {
      const frame = new Frame(code, layout, code.parameter(0, 'i32'));
      kernel.operands.forEach((operand, k) => {
        frame.preload(`address${k}`);
        if (operand.layout === 'indexed') frame.preload(`length${k}`);
      });
      const level = (axis: number, from: readonly I32[], coordinates: readonly I32[]): void => {
        const addresses = from.map((address) => code.let(address));
        if (axis === kernel.rank) {
          point(code, kernel, frame, addresses, coordinates);
          return;
        }
        code.for(frame.word(`size${axis}`), (x) => {
          level(axis + 1, addresses, [...coordinates, x]);
          addresses.forEach((address, k) => {
            if (kernel.operands[k]?.layout !== 'indexed') code.set(address, i32.add(address, frame.word(`stride${k}_${axis}`)));
          });
        });
      };
      level(
        0,
        kernel.operands.map((_, k) => frame.word(`address${k}`)),
        [],
      );
    },
    'run',
  );
}

/** One point: combine the value with the element at its position, if there is one. */
function point(code: Code, kernel: ScatterKernel, frame: Frame, addresses: readonly Local<'i32'>[], coordinates: readonly I32[]): void {
  const { operands, target, mode, value } = kernel;
  const lanes = scalarLanes(code);
  const elements = scalarElements(lanes);
  const here: Point = {
    operands,
    frame,
    addresses,
    steps: operands.map(() => 'none'),
    coordinate: (axis) => ({ value: coordinates[axis] ?? i32.const(0), moves: false }),
  };
  const evaluator = new Evaluator(lanes, sourcesAt(lanes, elements, here, NO_ACCUMULATORS));
  const position = code.let(evaluator.int(kernel.position));
  code.if(i32.ltU(position, frame.word(`length${target}`)), () => {
    const dtype = storedDType(operands[target]);
    const address = code.let(i32.add(frame.word(`address${target}`), i32.mul(position, i32.const(DTYPES[dtype].bytes))));
    // Evaluated inside: what lies outside needs no value.
    const inner = new Evaluator(lanes, sourcesAt(lanes, elements, here, NO_ACCUMULATORS), evaluator);
    const old = mode === 'set' ? null : elements.load(dtype, address, 'none');
    if (inFloats(dtype)) {
      const came = inner.float(value);
      const there = old?.float ?? came;
      const combined = mode === 'add' ? lanes.f.add(there, came) : lanes.f.max(there, came);
      elements.store(dtype, address, 'unit', mode === 'set' ? came : combined, null);
      return;
    }
    const came = inner.int(value);
    const there = old?.int ?? came;
    const larger = dtype === 'uint32' ? lanes.i.maxU : lanes.i.maxS;
    const combined = mode === 'add' ? wrap(lanes, dtype, lanes.i.add(there, came)) : larger(there, came);
    elements.store(dtype, address, 'unit', null, mode === 'set' ? came : combined);
  });
}

/** Plans runs of a scatter. */
export function prepareScatter(kernel: ScatterKernel, toolchain: Toolchain): Planner {
  const layout = new FrameLayout();
  let code: UnitCode | null = null;
  const named = namedAxes([kernel.position, kernel.value]);
  return (dims) => {
    const space = spaceOf(kernel, dims, named);
    if (space.axes.some((axis) => axis.size === 0)) return NOTHING;
    code ??= toolchain.build((module) => writeScatter(module, kernel, layout));
    const loops: readonly Loop[] = space.axes;
    return onePhase({ code, units: 1, words: commonWords(kernel, space, loops).inOrderOf(layout) });
  };
}
