// `npm start [-- arguments]`: trains a network on MNIST, apps/mnist.
import { startApp } from './start-app.mjs';

await startApp('mnist');
