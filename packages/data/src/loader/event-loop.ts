/**
 * Letting others run. A loop that only awaits what is already there never returns to the event loop: no timer, no Ctrl-C, no finalizer gets its turn.
 * So loaders return to it now and then.
 */

/** How long loops may hold the event loop, in milliseconds: short enough for Ctrl-C and a progress bar, long enough to cost nothing. */
const HOLD_MS = 50;

/** When the event loop last had its turn here, for all loaders together. */
let lastTurn = 0;

/** Gives the event loop a turn if it has had none for {@link HOLD_MS}. */
export async function takeTurns(): Promise<void> {
  if (performance.now() - lastTurn < HOLD_MS) return;
  await nextTurn();
  lastTurn = performance.now();
}

/** Resolves in a later turn of the event loop. */
async function nextTurn(): Promise<void> {
  if (typeof setImmediate === 'function') {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    return;
  }
  // In browsers: a message comes at once, where setTimeout waits at least 4 ms when nested.
  const { port1, port2 } = new MessageChannel();
  await new Promise<void>((resolve) => {
    Object.assign(port1, { onmessage: () => resolve() }); // Node's types lack it
    port2.postMessage(null);
  });
  port1.close();
}
