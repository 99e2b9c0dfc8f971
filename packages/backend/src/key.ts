/** Cache keys: a string for a kernel's structure. Two kernels with equal keys compute the same thing for equal arguments and `dims`. */

import { argumentsOf } from './expression.ts';
import type { Expression } from './expression.ts';
import type { Kernel, Layout } from './kernel.ts';
import { evaluationOrder } from './walk.ts';

function layoutKey(layout: Layout): string {
  return typeof layout === 'string' ? (layout[0] ?? '') : `b${layout.broadcast.map(Number).join('')}`;
}

function numberKey(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Writes expressions as numbered lines, so that sharing costs nothing. */
class ExpressionWriter {
  readonly #numbers = new Map<Expression, number>();
  readonly #lines: string[] = [];

  number(root: Expression): number {
    for (const e of evaluationOrder([root])) {
      if (this.#numbers.has(e)) continue;
      this.#numbers.set(e, this.#lines.length);
      this.#lines.push(this.#line(e));
    }
    return this.#numbers.get(root) ?? -1;
  }

  #line(e: Expression): string {
    const head = `${e.op}:${e.dtype}`;
    switch (e.op) {
      case 'constant':
        return `${head}:${numberKey(e.value)}`;
      case 'scalar':
      case 'accumulator':
        return `${head}:${e.index}`;
      case 'axis':
        return `${head}:${e.axis}`;
      case 'load':
        return `${head}:${e.operand}`;
      case 'gather':
        return `${head}:${e.operand}:${numberKey(e.fill)}:${this.#numbers.get(e.position)}`;
      default:
        return `${head}:${argumentsOf(e)
          .map((a) => this.#numbers.get(a))
          .join()}`;
    }
  }

  text(): string {
    return this.#lines.join(';');
  }
}

/** The structure of `kernel` as a string. */
export function kernelKey(kernel: Kernel): string {
  const expressions = new ExpressionWriter();
  const plain = JSON.stringify(kernel, (name, value: unknown) => {
    switch (name) {
      case 'operands':
        return (value as Kernel['operands']).map((o) => `${o.dtype}/${o.access}/${layoutKey(o.layout)}/${o.space}`);
      case 'sources':
        // Text by backend name, and any name will do: it must not be read as a part of the kernel.
        return JSON.stringify(value);
      case 'value':
      case 'position':
        return expressions.number(value as Expression);
      default:
        return value;
    }
  });
  return `${plain}|${expressions.text()}`;
}
