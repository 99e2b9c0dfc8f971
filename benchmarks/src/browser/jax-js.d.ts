/** jax-js is installed in `benchmarks/peers` alone; `peers/jax.ts` has types of what is used of it. */
declare module '@jax-js/jax';
