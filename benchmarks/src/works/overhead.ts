/**
 * What the core itself costs: the time in JavaScript apart from kernels.
 *
 * The backend is the cpu's, except that it runs nothing: what remains is recording, planning, and handing work over.
 */

import { cpu } from '@gradus/backend-cpu';
import { withChanges } from '@gradus/backend-testkit';
import { crossEntropy } from '@gradus/losses';
import { Adam } from '@gradus/optim';
import { Linear, ReLU, Sequential } from '@gradus/nn';
import { add, compile, defaultDevice, manualSeed, scope, setDefaultDevice, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { Contender, Work } from '../measure.ts';

const NODES = 1000;

async function nodes(): Promise<readonly Contender[]> {
  const a = tensor([1, 2, 3]);
  const b = tensor([4, 5, 6]);
  const run = (): void => {
    scope(() => {
      for (let i = 0; i < NODES; i++) add(a, b);
    });
  };
  return [{ name: 'gradus', run }];
}

interface Prepared {
  readonly minimize: (x: Tensor, y: Tensor) => Tensor;
  readonly x: Tensor;
  readonly y: Tensor;
}

/** The step of an MLP with Adam, on a device that runs nothing; `sizes` are those of its layers. */
function prepare(sizes: readonly number[]): Prepared {
  const home = defaultDevice();
  setDefaultDevice(withChanges(cpu(), { run: () => undefined }));
  manualSeed(0);
  const layers = sizes.slice(1).flatMap((out, i) => [...(i > 0 ? [new ReLU()] : []), new Linear(sizes[i] ?? 1, out)]);
  const model = new Sequential(...layers);
  const optimizer = new Adam(model.parameters());
  const x = tensor(new Float32Array(64 * 784), { shape: [64, 784] });
  const y = tensor(new Int32Array(64));
  setDefaultDevice(home);
  const minimize = (images: Tensor, labels: Tensor): Tensor => {
    const loss = crossEntropy(model.forward(images), labels);
    optimizer.minimize(loss);
    return loss;
  };
  return { minimize, x, y };
}

async function step(): Promise<readonly Contender[]> {
  const { minimize, x, y } = prepare(MLP);
  return [{ name: 'gradus', run: () => scope(() => void minimize(x, y)) }];
}

const MLP = [784, 512, 256, 10] as const;
/** Twenty layers: what a call costs once, whatever it runs, is spread over more kernels. */
const DEEP_MLP = [784, ...Array.from({ length: 19 }, () => 64), 10];

/** The compiled step, given for one of its kernels. */
function compiledWork(name: string, sizes: readonly number[]): Work {
  let kernels = 1;
  return {
    name,
    get callsPerRun() {
      return kernels;
    },
    contenders: async () => {
      const { minimize, x, y } = prepare(sizes);
      const compiled = compile(minimize);
      const run = (): void => scope(() => void compiled(x, y));
      run();
      kernels = compiled.explain()?.launches ?? NaN;
      return [{ name: 'gradus', run }];
    },
  };
}

export const overheadWorks: readonly Work[] = [
  { name: 'make-node', callsPerRun: NODES, contenders: nodes },
  { name: 'record-and-flush-mlp-adam', contenders: step },
  compiledWork('replay-one-kernel-of-compiled-mlp-adam', MLP),
  compiledWork('replay-one-kernel-of-compiled-deep-mlp-adam', DEEP_MLP),
];
