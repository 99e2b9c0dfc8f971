// `npm run tour [-- arguments]`: walks through everything that gradus does, apps/tour.
import { startApp } from './start-app.mjs';

await startApp('tour');
