/**
 * Passes over a row: the statements that normalisations are made of, written once for vectors and for the elements that are left.
 *
 * Words used here:
 * - **pass**: one walk along a row, which sums something, or stores something.
 * - **place**: where a pass stands: at four elements, or at one.
 * - **number**: something of which a row has one, such as its mean, ready for both widths.
 *
 * Sums are taken in single precision in runs of at most {@link RUN}, which total in float64.
 */

import { DTYPES } from '@gradus/backend';
import type { Code, Local } from '../assembler/code.ts';
import { f32, f32x4, f64, i32 } from '../assembler/instructions.ts';
import type { F32, F64, I32, Type, V128, Value } from '../assembler/value.ts';
import { least } from '../kernels/units.ts';
import { scalarElements, vectorElements } from '../lanes/elements.ts';
import type { StoredDType } from '../lanes/elements.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { LANES, vectorLanes } from '../lanes/vector.ts';

/** Elements of a run: 1024 additions to each of the four lanes at most. */
const RUN = 4096;
/** Vectors side by side in a search for the largest. */
const LARGEST_CHAINS = 4;

/** A number of the row. */
export interface RowNumber {
  readonly one: F32;
  readonly four: V128 | null;
}

/** Where a pass stands. */
export interface Place<F extends Type, I extends Type> {
  readonly lanes: Lanes<F, I>;
  /** The elements of an operand here. */
  readonly load: (operand: number) => Value<F>;
  /** Stores elements of an operand; `value` is used once. */
  readonly store: (operand: number, value: Value<F>) => void;
  /** A number of the row. */
  readonly number: (number: RowNumber) => Value<F>;
}

/** Something to compute at each place. */
export type AtPlace = <F extends Type, I extends Type>(place: Place<F, I>) => Value<F>;
/** Several things. */
export type AllAtPlace = <F extends Type, I extends Type>(place: Place<F, I>) => readonly Value<F>[];

/** A row: operands of one dtype, walked together. */
export class Row {
  readonly code: Code;
  readonly #dtype: StoredDType;
  readonly #bytes: number;
  readonly #starts: readonly I32[];
  /** Bytes of the row, and of its whole vectors. */
  readonly #end: I32;
  readonly #vectorEnd: I32 | null;

  /** `starts`: where each operand's row begins; `columns`: how many elements it has. */
  constructor(code: Code, dtype: StoredDType, starts: readonly I32[], columns: I32, simd: boolean) {
    this.code = code;
    this.#dtype = dtype;
    this.#bytes = DTYPES[dtype].bytes;
    this.#starts = starts;
    const bytes = i32.const(this.#bytes);
    this.#end = code.let(i32.mul(columns, bytes));
    this.#vectorEnd = simd ? code.let(i32.mul(i32.and(columns, i32.const(-LANES)), bytes)) : null;
  }

  /** Makes a number of the row out of a value. */
  number(value: F32): RowNumber {
    const one = this.code.let(value);
    return { one, four: this.#vectorEnd === null ? null : this.code.let(f32x4.splat(one)) };
  }

  /** The addresses of operands `at` bytes along the row, each computed where it is first asked for. */
  #addresses(at: I32): (operand: number) => Local<'i32'> {
    const known = new Map<number, Local<'i32'>>();
    return (operand) => {
      const address = known.get(operand) ?? this.code.let(i32.add(this.#starts[operand] ?? i32.const(0), at));
      known.set(operand, address);
      return address;
    };
  }

  #fours(address: (operand: number) => I32, offset: number): Place<'v128', 'v128'> {
    const lanes = vectorLanes(this.code);
    const elements = vectorElements(lanes);
    return {
      lanes,
      load: (operand) => elements.load(this.#dtype, address(operand), 'unit', offset).float ?? lanes.float(0),
      store: (operand, value) => elements.store(this.#dtype, address(operand), 'unit', this.code.let(value), null, offset),
      number: ({ four }) => four ?? lanes.float(0),
    };
  }

  #ones(at: I32): Place<'f32', 'i32'> {
    const lanes = scalarLanes(this.code);
    const elements = scalarElements(lanes);
    const address = this.#addresses(at);
    return {
      lanes,
      load: (operand) => elements.load(this.#dtype, address(operand), 'unit').float ?? lanes.float(0),
      store: (operand, value) => elements.store(this.#dtype, address(operand), 'unit', this.code.let(value), null),
      number: ({ one }) => one,
    };
  }

  /** Walks `at` up to `end` by `vectors` vectors while so many are left, then one by one. */
  #walk(at: Local<'i32'>, end: I32, vectors: number, visit: (place: Place<'v128', 'v128'>, chain: number) => void): void {
    const { code } = this;
    const step = LANES * this.#bytes;
    const loop = (count: number): void => {
      const last = code.let(i32.sub(end, i32.const(count * step)));
      code.while(i32.leS(at, last), () => {
        const addresses = this.#addresses(at);
        for (let chain = 0; chain < count; chain++) visit(this.#fours(addresses, chain * step), chain);
        code.set(at, i32.add(at, i32.const(count * step)));
      });
    };
    loop(vectors);
    if (vectors > 1) loop(1);
  }

  #rest(at: Local<'i32'>, visit: (place: Place<'f32', 'i32'>) => void): void {
    const { code } = this;
    code.while(i32.ltS(at, this.#end), () => {
      visit(this.#ones(at));
      code.set(at, i32.add(at, i32.const(this.#bytes)));
    });
  }

  /**
   * The sums of `count` terms along the row. `vectors` are visited side by side, so that no addition waits for the one before: as many as the
   * registers hold of what the terms need.
   */
  sums(count: number, vectors: number, terms: AllAtPlace): readonly F64[] {
    const { code } = this;
    const totals = Array.from({ length: count }, () => code.let(f64.const(0)));
    const at = code.let(i32.const(0));
    const add = (index: number, value: F32): void => {
      const total = totals[index];
      if (total !== undefined) code.set(total, f64.add(total, f64.promoteF32(value)));
    };
    const vectorEnd = this.#vectorEnd;
    if (vectorEnd !== null) {
      const partials = totals.map(() => Array.from({ length: vectors }, () => code.local('v128')));
      const { float } = vectorLanes(code);
      code.while(i32.ltS(at, vectorEnd), () => {
        const end = least(code, i32.add(at, i32.const(RUN * this.#bytes)), vectorEnd);
        for (const chains of partials) for (const chain of chains) code.set(chain, float(0));
        this.#walk(at, end, vectors, (place, chain) => {
          terms(place).forEach((term, index) => {
            const partial = partials[index]?.[chain];
            if (partial !== undefined) code.set(partial, f32x4.add(partial, term));
          });
        });
        partials.forEach((chains, index) => {
          const joined = code.let(chains.reduce<V128>((a, b) => f32x4.add(a, b), float(0)));
          for (const lane of [0, 1, 2, 3]) add(index, f32x4.extractLane(joined, lane));
        });
      });
    }
    this.#rest(at, (place) => terms(place).forEach((term, index) => add(index, term)));
    return totals;
  }

  /** One sum along the row. */
  sum(vectors: number, term: AtPlace): F64 {
    const [total = f64.const(0)] = this.sums(1, vectors, (place) => [term(place)]);
    return total;
  }

  /** The largest element of an operand; -Infinity where there is none. With `seesNaN`, NaN where there is one; else a NaN is passed over. */
  largest(operand: number, seesNaN: boolean): F32 {
    const { code } = this;
    const best = code.let(f32.const(-Infinity));
    const at = code.let(i32.const(0));
    const one = scalarLanes(code);
    const larger = <F extends Type, I extends Type>({ f }: Lanes<F, I>, a: Value<F>, b: Value<F>): Value<F> => (seesNaN ? f.max : f.pmax)(a, b);
    if (this.#vectorEnd !== null) {
      const lanes = vectorLanes(code);
      const chains = Array.from({ length: LARGEST_CHAINS }, () => code.let(lanes.float(-Infinity)));
      this.#walk(at, this.#vectorEnd, LARGEST_CHAINS, (place, chain) => {
        const known = chains[chain];
        if (known !== undefined) code.set(known, larger(place.lanes, known, place.load(operand)));
      });
      const joined = code.let(chains.reduce<V128>((a, b) => larger(lanes, a, b), lanes.float(-Infinity)));
      for (const lane of [0, 1, 2, 3]) code.set(best, larger(one, best, f32x4.extractLane(joined, lane)));
    }
    this.#rest(at, (place) => code.set(best, larger(place.lanes, best, place.load(operand))));
    return best;
  }

  /** Stores a value at each place of an operand, `vectors` of them at a time. */
  store(operand: number, vectors: number, value: AtPlace): void {
    const at = this.code.let(i32.const(0));
    if (this.#vectorEnd !== null) this.#walk(at, this.#vectorEnd, vectors, (place) => place.store(operand, value(place)));
    this.#rest(at, (place) => place.store(operand, value(place)));
  }

  /** A result of which each row has one: element 0 of the operand. */
  storeOne(operand: number, value: F32): void {
    const lanes = scalarLanes(this.code);
    scalarElements(lanes).store(this.#dtype, this.#starts[operand] ?? i32.const(0), 'unit', this.code.let(value), null);
  }

  /** Element 0 of an operand of which each row has one. */
  loadOne(operand: number): F32 {
    const lanes = scalarLanes(this.code);
    return scalarElements(lanes).load(this.#dtype, this.#starts[operand] ?? i32.const(0), 'unit').float ?? f32.const(0);
  }
}
