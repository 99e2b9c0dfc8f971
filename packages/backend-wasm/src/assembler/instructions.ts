/**
 * The instructions that kernels use, by the names of the specification, as functions from values to values.
 * Opcodes: WebAssembly Core Specification 2.0, section 5.4; relaxed SIMD: its proposal's overview, section "Binary format".
 */

import { binary, instruction, laneLoading, laneStoring, loading, storing, unary } from './value.ts';
import type { F32, F64, I32, Opcode, Type, V128, Value } from './value.ts';

const simd = (code: number): Opcode => [0xfd, code];
const saturating = (code: number): Opcode => [0xfc, code];

/** `select`: a where the condition is not 0, else b. Both are evaluated. */
export function select<T extends Type>(condition: I32, a: Value<T>, b: Value<T>): Value<T> {
  return instruction(a.type, 0x1b, [a, b, condition]);
}

/** The address of the buffer that a worker has for itself: the one global of every module. */
export const workspace: I32 = instruction('i32', 0x23, [], (to) => to.unsigned(0));

const wordBinary = (opcode: number): ((a: I32, b: I32) => I32) => binary('i32', 'i32', opcode);

/** 32-bit integers. */
export const i32 = {
  const: (value: number): I32 => instruction('i32', 0x41, [], (to) => to.signed(value)),
  add: wordBinary(0x6a),
  sub: wordBinary(0x6b),
  mul: wordBinary(0x6c),
  divS: wordBinary(0x6d),
  divU: wordBinary(0x6e),
  remS: wordBinary(0x6f),
  remU: wordBinary(0x70),
  and: wordBinary(0x71),
  or: wordBinary(0x72),
  xor: wordBinary(0x73),
  shl: wordBinary(0x74),
  shrS: wordBinary(0x75),
  shrU: wordBinary(0x76),
  eq: wordBinary(0x46),
  ne: wordBinary(0x47),
  ltS: wordBinary(0x48),
  ltU: wordBinary(0x49),
  gtS: wordBinary(0x4a),
  gtU: wordBinary(0x4b),
  leS: wordBinary(0x4c),
  leU: wordBinary(0x4d),
  geS: wordBinary(0x4e),
  geU: wordBinary(0x4f),
  eqz: unary('i32', 'i32', 0x45),
  clz: unary('i32', 'i32', 0x67),
  extend8S: unary('i32', 'i32', 0xc0),
  load: loading('i32', 0x28),
  load8S: loading('i32', 0x2c),
  load8U: loading('i32', 0x2d),
  load16S: loading('i32', 0x2e),
  load16U: loading('i32', 0x2f),
  store: storing('i32', 0x36),
  store8: storing('i32', 0x3a),
  store16: storing('i32', 0x3b),
  reinterpretF32: unary('f32', 'i32', 0xbc),
  truncSatF32S: unary('f32', 'i32', saturating(0)),
  truncSatF32U: unary('f32', 'i32', saturating(1)),
  truncSatF64S: unary('f64', 'i32', saturating(2)),
} as const;

const floatBinary = (opcode: number): ((a: F32, b: F32) => F32) => binary('f32', 'f32', opcode);
const floatUnary = (opcode: number): ((a: F32) => F32) => unary('f32', 'f32', opcode);
const floatComparison = (opcode: number): ((a: F32, b: F32) => I32) => binary('f32', 'i32', opcode);

/** 32-bit floats. */
export const f32 = {
  const: (value: number): F32 => instruction('f32', 0x43, [], (to) => to.float32(value)),
  abs: floatUnary(0x8b),
  neg: floatUnary(0x8c),
  ceil: floatUnary(0x8d),
  floor: floatUnary(0x8e),
  trunc: floatUnary(0x8f),
  nearest: floatUnary(0x90),
  sqrt: floatUnary(0x91),
  add: floatBinary(0x92),
  sub: floatBinary(0x93),
  mul: floatBinary(0x94),
  div: floatBinary(0x95),
  min: floatBinary(0x96),
  max: floatBinary(0x97),
  copysign: floatBinary(0x98),
  eq: floatComparison(0x5b),
  ne: floatComparison(0x5c),
  lt: floatComparison(0x5d),
  gt: floatComparison(0x5e),
  le: floatComparison(0x5f),
  ge: floatComparison(0x60),
  load: loading('f32', 0x2a),
  store: storing('f32', 0x38),
  convertI32S: unary('i32', 'f32', 0xb2),
  convertI32U: unary('i32', 'f32', 0xb3),
  demoteF64: unary('f64', 'f32', 0xb6),
  reinterpretI32: unary('i32', 'f32', 0xbe),
} as const;

const doubleBinary = (opcode: number): ((a: F64, b: F64) => F64) => binary('f64', 'f64', opcode);

/** 64-bit floats: for sums of sums. */
export const f64 = {
  const: (value: number): F64 => instruction('f64', 0x44, [], (to) => to.float64(value)),
  add: doubleBinary(0xa0),
  sub: doubleBinary(0xa1),
  mul: doubleBinary(0xa2),
  div: doubleBinary(0xa3),
  le: binary('f64', 'i32', 0x65),
  promoteF32: unary('f32', 'f64', 0xbb),
  convertI32S: unary('i32', 'f64', 0xb7),
  load: loading('f64', 0x2b),
  store: storing('f64', 0x39),
} as const;

const vectorBinary = (code: number): ((a: V128, b: V128) => V128) => binary('v128', 'v128', simd(code));
const vectorUnary = (code: number): ((a: V128) => V128) => unary('v128', 'v128', simd(code));
const shifting =
  (code: number) =>
  (a: V128, by: I32): V128 =>
    instruction('v128', simd(code), [a, by]);
const ternary =
  (code: number) =>
  (a: V128, b: V128, c: V128): V128 =>
    instruction('v128', simd(code), [a, b, c]);

/** Vectors of 128 bits as such. */
export const v128 = {
  const: (bytes: Uint8Array): V128 => instruction('v128', simd(12), [], (to) => to.append(bytes)),
  load: loading('v128', simd(0)),
  load32Zero: loading('v128', simd(92)),
  load64Zero: loading('v128', simd(93)),
  load32Splat: loading('v128', simd(9)),
  load8x8S: loading('v128', simd(1)),
  load8x8U: loading('v128', simd(2)),
  load16x4U: loading('v128', simd(4)),
  store: storing('v128', simd(11)),
  load8Lane: laneLoading(simd(84)),
  load16Lane: laneLoading(simd(85)),
  load32Lane: laneLoading(simd(86)),
  store32Lane: laneStoring(simd(90)),
  store64Lane: laneStoring(simd(91)),
  not: vectorUnary(77),
  and: vectorBinary(78),
  andnot: vectorBinary(79),
  or: vectorBinary(80),
  xor: vectorBinary(81),
  /** Bits of a where the mask has ones, else of b. */
  bitselect: (a: V128, b: V128, mask: V128): V128 => ternary(82)(a, b, mask),
  anyTrue: unary('v128', 'i32', simd(83)),
} as const;

/** Sixteen bytes. */
export const i8x16 = {
  /** Bytes of a (0 to 15) and b (16 to 31), by number. */
  shuffle: (a: V128, b: V128, lanes: readonly number[]): V128 =>
    instruction('v128', simd(13), [a, b], (to) => {
      for (const lane of lanes) to.byte(lane);
    }),
  splat: unary('i32', 'v128', simd(15)),
  shrU: shifting(109),
  sub: vectorBinary(113),
} as const;

/** Eight 16-bit integers. */
export const i16x8 = {
  extendLowI8x16S: vectorUnary(135),
  extendHighI8x16S: vectorUnary(136),
  extendLowI8x16U: vectorUnary(137),
  extendHighI8x16U: vectorUnary(138),
  narrowI32x4U: vectorBinary(134),
  shl: shifting(139),
  shrS: shifting(140),
} as const;

/** Four 32-bit integers. */
export const i32x4 = {
  splat: unary('i32', 'v128', simd(17)),
  extractLane: (a: V128, lane: number): I32 => instruction('i32', simd(27), [a], (to) => to.byte(lane)),
  replaceLane: (a: V128, lane: number, value: I32): V128 => instruction('v128', simd(28), [a, value], (to) => to.byte(lane)),
  eq: vectorBinary(55),
  ne: vectorBinary(56),
  ltS: vectorBinary(57),
  ltU: vectorBinary(58),
  gtS: vectorBinary(59),
  gtU: vectorBinary(60),
  leS: vectorBinary(61),
  leU: vectorBinary(62),
  geS: vectorBinary(63),
  geU: vectorBinary(64),
  abs: vectorUnary(160),
  neg: vectorUnary(161),
  extendLowI16x8S: vectorUnary(167),
  extendHighI16x8S: vectorUnary(168),
  extendLowI16x8U: vectorUnary(169),
  extendHighI16x8U: vectorUnary(170),
  shl: shifting(171),
  shrS: shifting(172),
  shrU: shifting(173),
  add: vectorBinary(174),
  sub: vectorBinary(177),
  mul: vectorBinary(181),
  minS: vectorBinary(182),
  minU: vectorBinary(183),
  maxS: vectorBinary(184),
  maxU: vectorBinary(185),
  dotI16x8S: vectorBinary(186),
  truncSatF32x4S: vectorUnary(248),
  truncSatF32x4U: vectorUnary(249),
  /** Four sums of four products each, of signed bytes and of bytes in 0..127, added to c. */
  relaxedDotI8x16I7x16AddS: ternary(0x113),
} as const;

/** Four 32-bit floats. */
export const f32x4 = {
  splat: unary('f32', 'v128', simd(19)),
  extractLane: (a: V128, lane: number): F32 => instruction('f32', simd(31), [a], (to) => to.byte(lane)),
  replaceLane: (a: V128, lane: number, value: F32): V128 => instruction('v128', simd(32), [a, value], (to) => to.byte(lane)),
  eq: vectorBinary(65),
  ne: vectorBinary(66),
  lt: vectorBinary(67),
  gt: vectorBinary(68),
  le: vectorBinary(69),
  ge: vectorBinary(70),
  ceil: vectorUnary(103),
  floor: vectorUnary(104),
  trunc: vectorUnary(105),
  nearest: vectorUnary(106),
  abs: vectorUnary(224),
  neg: vectorUnary(225),
  sqrt: vectorUnary(227),
  add: vectorBinary(228),
  sub: vectorBinary(229),
  mul: vectorBinary(230),
  div: vectorBinary(231),
  min: vectorBinary(232),
  max: vectorBinary(233),
  /** `b < a ? b : a`: one instruction of the machine, where `min` is six. */
  pmin: vectorBinary(234),
  /** `a < b ? b : a` */
  pmax: vectorBinary(235),
  convertI32x4S: vectorUnary(250),
  convertI32x4U: vectorUnary(251),
  /** Two doubles as the lower two singles; the upper two are 0. */
  demoteF64x2Zero: vectorUnary(94),
  /** a · b + c, rounded once or twice, as the machine likes. */
  relaxedMadd: ternary(0x105),
} as const;

/** Two 64-bit floats: the lower half of four singles, exactly. */
export const f64x2 = {
  extractLane: (a: V128, lane: number): F64 => instruction('f64', simd(33), [a], (to) => to.byte(lane)),
  promoteLowF32x4: vectorUnary(95),
  add: vectorBinary(240),
  splat: unary('f64', 'v128', simd(20)),
} as const;
