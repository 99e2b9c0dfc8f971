import { webgpu } from '@gradus/backend-webgpu';
import { Linear, ReLU, Sequential } from '@gradus/nn';
import { crossEntropy } from '@gradus/losses';
import { Adam } from '@gradus/optim';
import { compile, randn, setDefaultDevice, tensor, explain } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { test } from 'vitest';
import { useSwiftShader } from '../../../scripts/swiftshader.mjs';
useSwiftShader();
test('x', async () => { const d = await webgpu(); setDefaultDevice(d);
 const model = new Sequential(new Linear(784,256), new ReLU(), new Linear(256,10));
 const opt = new Adam(model.parameters(), { lr: 1e-3 });
 const step = compile((x: Tensor, y: Tensor) => { const l = crossEntropy(model.forward(x), y); opt.minimize(l); return l; });
 const x = randn([64,784]); const y = tensor(Int32Array.from({length:64},(_, i)=>i%10));
 await x.data();
 for (let i=0;i<6;i++) { const b = d.statistics; const t=performance.now(); const l = step(x,y); const t1=performance.now(); await l.item(); const t2=performance.now(); const a=d.statistics; console.log('step', (t1-t).toFixed(1), (t2-t1).toFixed(1), a.submits-b.submits, a.dispatches-b.dispatches, a.shaders-b.shaders); }
 console.log(explain(step));
});
