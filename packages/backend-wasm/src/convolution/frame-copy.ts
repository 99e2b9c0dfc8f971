/** Copies planes into frames: zeros around them, and any float dtype as float32. Up to three axes; missing ones have size 1. */

import type { Code } from '../assembler/code.ts';
import { f32, i32, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { F32, I32, V128 } from '../assembler/value.ts';
import { least, writeRun } from '../kernels/units.ts';
import { scalarElements, vectorElements } from '../lanes/elements.ts';
import type { StoredDType } from '../lanes/elements.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { LANES, vectorLanes } from '../lanes/vector.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';
import { Words } from '../launch/words.ts';
import { volume } from './geometry.ts';
import type { FrameShape } from './geometry.ts';

const WORD_BYTES = 4;
const AXES = [0, 1, 2] as const;

/** `fill(target, count)`: zeros. */
function writeZeros(code: Code): void {
  const target = code.parameter(0, 'i32');
  const left = code.parameter(1, 'i32');
  const lanes = vectorLanes(code);
  code.while(i32.geS(left, i32.const(LANES)), () => {
    code.effect(v128.store(target, lanes.int(0)));
    code.set(target, i32.add(target, i32.const(LANES * WORD_BYTES)));
    code.set(left, i32.sub(left, i32.const(LANES)));
  });
  code.while(i32.gtS(left, i32.const(0)), () => {
    code.effect(f32.store(target, f32.const(0)));
    code.set(target, i32.add(target, i32.const(WORD_BYTES)));
    code.set(left, i32.sub(left, i32.const(1)));
  });
}

/** `copy(source, target, count)`: elements of `dtype` as float32. */
function writeCopy(code: Code, dtype: StoredDType, bytes: number): void {
  const [source, target, left] = [code.parameter(0, 'i32'), code.parameter(1, 'i32'), code.parameter(2, 'i32')];
  const four = vectorElements(vectorLanes(code));
  const one = scalarElements(scalarLanes(code));
  const advance = (count: number): void => {
    code.set(source, i32.add(source, i32.const(count * bytes)));
    code.set(target, i32.add(target, i32.const(count * WORD_BYTES)));
    code.set(left, i32.sub(left, i32.const(count)));
  };
  code.while(i32.geS(left, i32.const(LANES)), () => {
    code.effect(v128.store(target, present(four.load(dtype, source, 'unit').float)));
    advance(LANES);
  });
  code.while(i32.gtS(left, i32.const(0)), () => {
    code.effect(f32.store(target, present(one.load(dtype, source, 'none').float)));
    advance(1);
  });
}

/** Writes the code that frames planes; its entry is exported as `run`. A unit is a plane. Words: those of {@link frameWords}, `source`, `target`. */
export function writeFrameCopy(module: ModuleWriter, dtype: StoredDType, bytes: number, layout: FrameLayout): void {
  const zeros = module.function(['i32', 'i32'], null, writeZeros);
  const copy = module.function(['i32', 'i32', 'i32'], null, (code) => writeCopy(code, dtype, bytes));
  const plane = module.function(['i32', 'i32'], null, (code) => {
    const frame = new Frame(code, layout, code.parameter(0, 'i32'));
    for (const axis of AXES) for (const name of ['lead', 'size', 'extent']) frame.preload(`${name}${axis}`);
    const number = code.parameter(1, 'i32');
    const source = code.let(i32.add(frame.word('source'), i32.mul(number, frame.word('sourcePlane'))));
    const target = code.let(i32.add(frame.word('target'), i32.mul(number, frame.word('targetPlane'))));
    const rowBytes = code.let(i32.mul(frame.word('extent2'), i32.const(WORD_BYTES)));
    const lead = code.let(i32.mul(frame.word('lead2'), i32.const(WORD_BYTES)));
    const count = least(code, frame.word('size2'), i32.sub(frame.word('extent2'), frame.word('lead2')));
    const sourceRow = code.let(i32.mul(frame.word('size2'), i32.const(bytes)));
    code.for(frame.word('extent0'), (z) => {
      const sourceZ = code.let(i32.sub(z, frame.word('lead0')));
      code.for(frame.word('extent1'), (y) => {
        const sourceY = code.let(i32.sub(y, frame.word('lead1')));
        code.run(zeros, [target, frame.word('extent2')]);
        const inside = i32.and(i32.ltU(sourceZ, frame.word('size0')), i32.ltU(sourceY, frame.word('size1')));
        code.if(inside, () => {
          const row: I32 = i32.add(i32.mul(sourceZ, frame.word('size1')), sourceY);
          code.run(copy, [i32.add(source, i32.mul(row, sourceRow)), i32.add(target, lead), count]);
        });
        code.set(target, i32.add(target, rowBytes));
      });
    });
  });
  writeRun(module, (code, frame, number) => code.run(plane, [frame, number]));
}

/** The words that describe a frame. */
export function frameWords({ lead, extent, size }: FrameShape, bytes: number): Words {
  const words = new Words().constant('sourcePlane', bytes * volume(size)).constant('targetPlane', WORD_BYTES * volume(extent));
  const missing = AXES.length - size.length;
  for (const axis of AXES) {
    const d = axis - missing;
    words
      .constant(`lead${axis}`, lead[d] ?? 0)
      .constant(`size${axis}`, size[d] ?? 1)
      .constant(`extent${axis}`, extent[d] ?? 1);
  }
  return words;
}

function present<T extends F32 | V128>(value: T | null): T {
  if (value === null) throw new TypeError('internal: only floats are framed');
  return value;
}
