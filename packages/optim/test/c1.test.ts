import { Linear, ReLU, Sequential, BatchNorm1d, Dropout } from '@gradus/nn';
import { crossEntropy } from '@gradus/losses';
import { compile, manualSeed, memory, tensor, scope } from '@gradus/tensor';
import { expect, test } from 'vitest';
import { Adam, SGD } from '../src/index.ts';
import { BATCH, CLASSES, FEATURES, loop, batches } from './batches.ts';

function run(compiled: boolean, steps = 30) {
  manualSeed(0);
  const model = new Sequential(new Linear(FEATURES, 24), new BatchNorm1d(24), new ReLU(), new Dropout(0.3), new Linear(24, CLASSES));
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const f = (x: any, y: any) => { const loss = crossEntropy(model.forward(x), y); optimizer.minimize(loss); return loss; };
  const step = compiled ? compile(f) : f;
  const losses: number[] = [];
  let i = 0;
  for (const [x, y] of batches(steps)) scope(() => {
    if (i === 10) optimizer.lr = 0.003;
    if (i === 15) model.eval();
    if (i === 18) model.train();
    losses.push(step(x, y).itemSync()); i++; });
  if (compiled) console.log((step as any).statistics, String((step as any).explain()));
  return { losses, weights: Object.values(model.stateDict()).map((t) => [...t.dataSync()]), grads: model.parameters().map(p => [...(p.grad?.dataSync() ?? [])]) };
}
test('equal', () => {
  const a = run(false), b = run(true);
  expect(b).toEqual(a);
});
test('flat', () => {
  manualSeed(0);
  const model = new Sequential(new Linear(FEATURES, 24), new ReLU(), new Linear(24, CLASSES));
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const step = compile((x, y) => { const loss = crossEntropy(model.forward(x), y); optimizer.minimize(loss); return loss; });
  const [[x, y]] = [...batches(1)] as any;
  for (let i = 0; i < 5; i++) { step(x, y); console.log(JSON.stringify(memory())); }
  console.log(String(step.explain()));
  const t = performance.now(); for (let i = 0; i < 3000; i++) step(x, y); console.log((performance.now() - t) / 3000 * 1000, 'us');
});
