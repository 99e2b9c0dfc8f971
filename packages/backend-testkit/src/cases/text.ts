/** Kernels, expressions and numbers as one line of text, for messages. */

import type { Expression, Kernel, Operand } from '@gradus/backend';
import { layoutText } from './layouts.ts';

/** Longer texts are cut here. */
const LONGEST = 320;

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)} …`;
}

/** A number with its sign, so that -0 shows. */
export function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Arguments nested deeper are left out: a graph that shares its parts grows without bound as text. */
const DEEPEST = 5;

/** An expression as nested calls. */
function expressionText(e: Expression, depth = 0): string {
  const text = (argument: Expression): string => (depth === DEEPEST ? '…' : expressionText(argument, depth + 1));
  switch (e.op) {
    case 'constant':
      return numberText(e.value);
    case 'scalar':
      return `scalar(${e.index})`;
    case 'axis':
      return `axis(${e.axis})`;
    case 'load':
      return `load(${e.operand})`;
    case 'gather':
      return `gather(${e.operand}, ${text(e.position)}, fill ${numberText(e.fill)})`;
    case 'accumulator':
      return `accumulator(${e.index})`;
    case 'cast':
    case 'bitcast':
      return `${e.op}(${text(e.value)}, ${e.dtype})`;
    case 'where':
      return `where(${text(e.condition)}, ${text(e.then)}, ${text(e.otherwise)})`;
    default:
      return `${e.op}(${e.args.map(text).join(', ')})`;
  }
}

function operandText({ dtype, access, layout, space }: Operand, index: number): string {
  return `${index}: ${access} ${dtype} ${layoutText(layout)}${space === 'kept' ? ' over kept axes' : ''}`;
}

function workText(kernel: Kernel): string {
  const outputs = 'outputs' in kernel ? kernel.outputs.map(({ operand, value }) => `${operand} = ${expressionText(value)}`).join('; ') : '';
  switch (kernel.kind) {
    case 'reduce':
      return `${kernel.folds.map(({ fold, value }) => `${fold} ${expressionText(value)}`).join(', ')} over the last ${kernel.folded} of ${kernel.rank} axes; ${outputs}`;
    case 'scatter':
      return `${kernel.mode} ${kernel.target}[${expressionText(kernel.position)}] = ${expressionText(kernel.value)}`;
    case 'convolution':
    case 'pool':
      return `${kernel.pass} ${JSON.stringify(kernel.window)}; ${outputs}`;
    case 'map':
    case 'contract':
      return outputs;
    default:
      return [...optionsText(kernel), outputs].filter(Boolean).join('; ');
  }
}

/** What a kernel says of itself beside operands, scalars and outputs: `function softmax`, `pass forward`. */
function optionsText(kernel: Kernel): string[] {
  const shown = Object.entries(kernel).filter(([name]) => !['kind', 'operands', 'scalars', 'outputs', 'sources'].includes(name));
  return shown.map(([name, value]) => `${name} ${String(value)}`);
}

/** A kernel in one line: kind, work, operands, dims. */
export function kernelText(kernel: Kernel, dims?: Int32Array): string {
  const operands = kernel.operands.map(operandText).join(', ');
  const scalars = kernel.scalars.length === 0 ? '' : `; scalars ${kernel.scalars.join()}`;
  return `${cut(`${kernel.kind} ${workText(kernel)}`)} [${operands}${scalars}]${dims === undefined ? '' : `; dims ${cut([...dims].join())}`}`;
}
