/**
 * The walker: turns scalar expressions into statements of a C-like language.
 *
 * A backend that generates code describes its language as a {@link Dialect}: how a temporary is declared, how an operand is
 * loaded, and a table of some thirty strings, one an opcode, in which `$0` and `$1` stand for the arguments.
 * Every shared sub-expression becomes one temporary, in evaluation order.
 *
 * The same walk without code, for interpreters and analyses: {@link evaluationOrder}.
 */

import type { DType, DTypeKind } from './dtype.ts';
import { DTYPES } from './dtype.ts';
import { KernelError } from './errors.ts';
import { argumentsOf } from './expression.ts';
import type { Expression } from './expression.ts';
import type { Opcode } from './opcodes.ts';

/** A template for one opcode: one string for all dtypes, or one by dtype, by kind, and a `default`. */
export type Template = string | ({ readonly [Key in DType | DTypeKind | 'default']?: string } & { readonly [other: string]: string });

/** What a target language looks like. Every function returns source text. */
export interface Dialect {
  /** A statement that gives `value` (of `dtype`) the name `name`. */
  declare(name: string, dtype: DType, value: string): string;
  /** A literal. */
  constant(value: number, dtype: DType): string;
  /** The scalar argument number `index`. */
  scalar(index: number, dtype: DType): string;
  /** The int32 coordinate along `axis`. */
  axis(axis: number): string;
  /** The current element of `operand`. */
  load(operand: number, dtype: DType): string;
  /** The element of `operand` at int32 position `position` (a name or a literal), `fill` (a literal) outside its length. */
  gather(operand: number, position: string, fill: string, dtype: DType): string;
  /** The finished fold number `index`. */
  accumulator(index: number, dtype: DType): string;
  /** `value` converted from one dtype to another. */
  cast(value: string, from: DType, to: DType): string;
  /** The bits of `value` read as another 32-bit dtype. */
  bitcast(value: string, from: DType, to: DType): string;
  /** `condition ? then : otherwise` with an already evaluated bool condition. */
  where(condition: string, then: string, otherwise: string, dtype: DType): string;
  /** One template an opcode. The template of a comparison is chosen by its arguments' dtype. */
  readonly operators: { readonly [O in Opcode]: Template };
  /** Rounds or wraps the result of an operation to its dtype; by dtype, `$0` is the raw value. Absent: nothing to do. */
  readonly wrap?: { readonly [D in DType]?: string };
}

/** Source text for some expressions: statements in order, then one name or literal for each root. */
export interface Emitted {
  readonly statements: readonly string[];
  readonly values: readonly string[];
}

/** Every distinct sub-expression of `roots`, arguments before those who use them. */
export function evaluationOrder(roots: readonly Expression[]): Expression[] {
  const seen = new Set<Expression>();
  const order: Expression[] = [];
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    for (const argument of argumentsOf(e)) visit(argument);
    order.push(e);
  };
  for (const root of roots) visit(root);
  return order;
}

/**
 * Rewrites expressions, arguments first, each distinct one once, so that sharing is kept. `change` gets every expression with its arguments
 * already rewritten; null leaves it as it is.
 */
export function rewrite(roots: readonly Expression[], change: (e: Expression) => Expression | null): Expression[] {
  const made = new Map<Expression, Expression>();
  const of = (e: Expression): Expression => made.get(e) ?? e;
  for (const e of evaluationOrder(roots)) {
    const rebuilt = withArguments(e, of);
    made.set(e, change(rebuilt) ?? rebuilt);
  }
  return roots.map(of);
}

function withArguments(e: Expression, of: (argument: Expression) => Expression): Expression {
  if (argumentsOf(e).every((argument) => of(argument) === argument)) return e;
  switch (e.op) {
    case 'constant':
    case 'scalar':
    case 'axis':
    case 'load':
    case 'accumulator':
      return e;
    case 'gather':
      return { ...e, position: of(e.position) };
    case 'cast':
    case 'bitcast':
      return { ...e, value: of(e.value) };
    case 'where':
      return { ...e, condition: of(e.condition), then: of(e.then), otherwise: of(e.otherwise) };
    default: {
      const [a, b] = e.args;
      return { ...e, args: b === undefined ? [of(a)] : [of(a), of(b)] };
    }
  }
}

function pick(template: Template, op: Opcode, dtype: DType): string {
  if (typeof template === 'string') return template;
  const found = template[dtype] ?? template[DTYPES[dtype].kind] ?? template['default'];
  if (found === undefined) throw new KernelError({ op, expected: 'a template in the dialect', got: `none for ${dtype}` });
  return found;
}

function substitute(template: string, args: readonly string[]): string {
  return template.replace(/\$([0-9])/g, (_, digit: string) => args[Number(digit)] ?? '');
}

/** Options of {@link emit}. */
export interface EmitOptions {
  /** Prefix of the temporaries' names, so that two calls can share a scope. Default `t`. */
  readonly prefix?: string;
  /** Names that some expressions already have, from an earlier call in an enclosing scope. */
  readonly known?: ReadonlyMap<Expression, string>;
}

/** Writes `roots` in the given dialect. */
export function emit(roots: readonly Expression[], dialect: Dialect, options: EmitOptions = {}): Emitted {
  const prefix = options.prefix ?? 't';
  const names = new Map<Expression, string>(options.known);
  const statements: string[] = [];
  const nameOf = (e: Expression): string => names.get(e) ?? '';

  for (const e of evaluationOrder(roots)) {
    if (names.has(e)) continue;
    if (e.op === 'constant') {
      names.set(e, dialect.constant(e.value, e.dtype));
      continue;
    }
    const name = `${prefix}${statements.length}`;
    statements.push(dialect.declare(name, e.dtype, write(e, dialect, nameOf)));
    names.set(e, name);
  }
  return { statements, values: roots.map(nameOf) };
}

function write(e: Expression, dialect: Dialect, nameOf: (e: Expression) => string): string {
  switch (e.op) {
    case 'constant':
      return dialect.constant(e.value, e.dtype);
    case 'scalar':
      return dialect.scalar(e.index, e.dtype);
    case 'axis':
      return dialect.axis(e.axis);
    case 'load':
      return dialect.load(e.operand, e.dtype);
    case 'gather':
      return dialect.gather(e.operand, nameOf(e.position), dialect.constant(e.fill, e.dtype), e.dtype);
    case 'accumulator':
      return dialect.accumulator(e.index, e.dtype);
    case 'cast':
      return dialect.cast(nameOf(e.value), e.value.dtype, e.dtype);
    case 'bitcast':
      return dialect.bitcast(nameOf(e.value), e.value.dtype, e.dtype);
    case 'where':
      return dialect.where(nameOf(e.condition), nameOf(e.then), nameOf(e.otherwise), e.dtype);
    default: {
      const dtype = e.args[0].dtype;
      const raw = substitute(pick(dialect.operators[e.op], e.op, dtype), e.args.map(nameOf));
      const wrap = e.dtype === 'bool' ? undefined : dialect.wrap?.[e.dtype];
      return wrap === undefined ? raw : substitute(wrap, [raw]);
    }
  }
}
