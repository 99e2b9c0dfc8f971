/** From a kernel to code that runs it: generated where text may become code, interpreted where not. */

import { UnsupportedError } from '@gradus/backend';
import type { Kernel, MapKernel, ReduceKernel, RequiredKernel } from '@gradus/backend';

import { compileKernel } from './codegen/compile.ts';
import type { KernelCode } from './codegen/compile.ts';
import type { Language } from './codegen/language.ts';
import { writeMap } from './codegen/map.ts';
import { cheaperOrder, writeReduce } from './codegen/reduce.ts';
import type { LoopOrder } from './codegen/reduce.ts';
import { writeScatter } from './codegen/scatter.ts';
import { prepareContract } from './contract/contract.ts';
import { isDense, prepareDense } from './dense/table.ts';
import { preparePool } from './pool/pool.ts';
import type { Workspace } from './workspace.ts';
import { prepareConvolution } from './convolution/passes.ts';
import { interpretMap, interpretReduce, interpretScatter } from './interpret/kernels.ts';

/** How code is made. */
export interface Toolchain {
  readonly interpret: boolean;
  readonly language: Language;
  /** A last look at generated source: the identity, except in tests that plant mistakes. */
  readonly transformSource: (source: string, kernel: Kernel) => string;
}

function interpret(kernel: RequiredKernel): KernelCode {
  switch (kernel.kind) {
    case 'map':
      return interpretMap(kernel);
    case 'reduce':
      return interpretReduce(kernel);
    case 'scatter':
      return interpretScatter(kernel);
    default:
      return kernel satisfies never;
  }
}

/** A reduce is compiled once for each loop order that its runs ask for. */
function generateReduce(kernel: ReduceKernel, compile: (source: string) => KernelCode, language: Language): KernelCode {
  const codes: { [O in LoopOrder]?: KernelCode } = {};
  return (views, scalars, dims) => {
    const order = cheaperOrder(kernel, dims);
    const code = (codes[order] ??= compile(writeReduce(kernel, language, order)));
    code(views, scalars, dims);
  };
}

function generate(kernel: RequiredKernel, { language, transformSource }: Toolchain): KernelCode {
  const compile = (source: string): KernelCode => compileKernel(kernel, transformSource(source, kernel));
  switch (kernel.kind) {
    case 'map':
      return compile(writeMap(kernel, language));
    case 'scatter':
      return compile(writeScatter(kernel, language));
    case 'reduce':
      return generateReduce(kernel, compile, language);
    default:
      return kernel satisfies never;
  }
}

/** Code for a required kernel. */
function prepareRequired(kernel: RequiredKernel, toolchain: Toolchain): KernelCode {
  return toolchain.interpret ? interpret(kernel) : generate(kernel, toolchain);
}

/** Code for any kernel that `supports` accepts. */
export function prepareKernel(kernel: Kernel, toolchain: Toolchain, workspace: Workspace): KernelCode {
  const prepareMap = (map: MapKernel): KernelCode => prepareRequired(map, toolchain);
  switch (kernel.kind) {
    case 'map':
    case 'reduce':
    case 'scatter':
      return prepareRequired(kernel, toolchain);
    case 'contract':
      return prepareContract(kernel, prepareMap, workspace);
    case 'convolution':
      return prepareConvolution(kernel, prepareMap, workspace);
    case 'pool':
      return preparePool(kernel, prepareMap, workspace);
    default:
      if (isDense(kernel)) return prepareDense(kernel, workspace, prepareMap);
      throw new UnsupportedError({ op: 'cpu.prepare', expected: 'a kernel with an implementation', got: kernel.kind });
  }
}
