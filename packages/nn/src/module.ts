/**
 * Modules: trees of parameters, buffers and other modules, found by property: as properties themselves, or in arrays and plain objects
 * that are, however deep. Private (`#`) properties are not found.
 *
 * Names follow PyTorch: a parameter's key is the path of properties to it, `encoder.layers.3.selfAttn.inProjWeight`, with camelCase
 * written as snake_case in `stateDict()`, so that PyTorch's weights load as they are.
 */

import { ArgumentError, Parameter, State, assign, hostDecision, hostEffect, isTensor, noGrad, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { StateDictError } from './errors.ts';
import { joinPath, stateKey, valuesWithin } from './paths.ts';

/** State that is saved with a module but not learned: running statistics, cached masks. */
export class Buffer extends State {
  /** Is it part of `stateDict()`? */
  readonly persistent: boolean;

  constructor(initial: Tensor, persistent: boolean) {
    super(initial);
    this.persistent = persistent;
  }
}

/** Options of {@link Module.loadStateDict}. */
export interface LoadOptions {
  /** Refuse missing and unexpected keys. Default true. */
  readonly strict?: boolean;
}

/** What `loadStateDict` found, by key. */
export interface LoadReport {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/** Training or evaluation, and the reader that a compiled function watches. */
class Mode {
  training = true;
  readonly read = (): boolean => this.training;
}

/** The modes of modules that have been asked for one. Not fields of theirs, for a copy by properties has a mode too: see `replace.ts`. */
const modes = new WeakMap<Module, Mode>();

function modeOf(module: Module): Mode {
  const known = modes.get(module);
  if (known !== undefined) return known;
  const mode = new Mode();
  modes.set(module, mode);
  return mode;
}

/**
 * Base of all layers and models. A model of one's own has `forward` and its parts as properties.
 *
 * It has no `#` fields itself, so that a copy by properties is a module.
 */
export abstract class Module {
  /** Training or evaluation: dropout and batch norm ask for it. Set by `train()` and `eval()`. A compiled function follows it. */
  get training(): boolean {
    return hostDecision(modeOf(this).read);
  }

  set training(on: boolean) {
    const mode = modeOf(this);
    const before = mode.training;
    hostEffect(
      () => (mode.training = on),
      () => (mode.training = before),
    );
  }

  /** Computes the output. Shapes are each module's own. */
  abstract forward(...inputs: Tensor[]): Tensor;

  /** State that is not learned. Non-persistent buffers are left out of `stateDict()`. */
  protected buffer(initial: Tensor, options: { readonly persistent?: boolean } = {}): Buffer {
    return new Buffer(initial, options.persistent ?? true);
  }

  /** The modules that are properties of this one, or in arrays and plain objects that are, with their names: `layers.0`, `heads.a`. */
  *namedChildren(): Generator<[string, Module]> {
    for (const [name, value] of valuesWithin(this)) if (value instanceof Module) yield [name, value];
  }

  /** This module and all below it, each once, with their paths. */
  *namedModules(prefix = '', seen: Set<Module> = new Set()): Generator<[string, Module]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.namedModules(joinPath(prefix, name), seen);
  }

  /** This module and all below it. */
  *modules(): Generator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** All parameters, each once, with their paths. */
  *namedParameters(): Generator<[string, Parameter]> {
    yield* namedState(this, Parameter);
  }

  /** All buffers, each once, with their paths. */
  *namedBuffers(): Generator<[string, Buffer]> {
    yield* namedState(this, Buffer);
  }

  /** All parameters, each once: what an optimizer takes. */
  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }

  /** All buffers, each once. */
  buffers(): Buffer[] {
    return [...this.namedBuffers()].map(([, buffer]) => buffer);
  }

  /** Switches this module and all below it to training, or with `false` to evaluation. */
  train(on = true): this {
    for (const module of this.modules()) module.training = on;
    return this;
  }

  /** Switches to evaluation. */
  eval(): this {
    return this.train(false);
  }

  /** Freezes parameters (`false`) or lets them learn again. */
  requiresGrad(on = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = on;
    return this;
  }

  /** Calls `fn` with every module, this one last. */
  apply(fn: (module: Module) => void): this {
    for (const module of [...this.modules()].toReversed()) fn(module);
    return this;
  }

  /**
   * Parameters and persistent buffers by PyTorch's keys; what is shared is listed under every path to it. The tensors are the module's own:
   * copy them to keep them.
   *
   * @throws ArgumentError when two properties have one key
   */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(savedState(this, 'stateDict'));
  }

  /**
   * Sets parameters and buffers from tensors with the keys of `stateDict()`. Everything is checked first: on an error nothing has changed.
   *
   * @throws StateDictError listing missing and unexpected keys (unless not `strict`), and shapes, dtypes or devices that differ; ArgumentError as
   * stateDict
   */
  loadStateDict(dict: Readonly<Record<string, Tensor>>, options: LoadOptions = {}): LoadReport {
    const own = savedState(this, 'loadStateDict');
    const missing = [...own.keys()].filter((key) => !Object.hasOwn(dict, key));
    const unexpected = Object.keys(dict).filter((key) => !own.has(key));
    const found = [...own].flatMap(([key, target]) => (Object.hasOwn(dict, key) ? [{ key, target, value: dict[key] as Tensor }] : []));
    const mismatched = found.flatMap(({ key, target, value }) => {
      const [here, given] = [describeState(target), describeState(value)];
      const elsewhere = here === given && value.device !== target.device ? ` on ${value.device.name}` : '';
      return here === given && elsewhere === '' ? [] : [`${key}: ${here} here, ${given}${elsewhere} given`];
    });
    if (mismatched.length > 0 || ((options.strict ?? true) && missing.length + unexpected.length > 0))
      throw new StateDictError(missing, unexpected, mismatched);
    noGrad(() => {
      // All copies before the first change, so that one that cannot be made leaves everything as it is.
      const values = found.map(({ target, value }) => ({ target, value: value.copy() }));
      for (const { target, value } of values) assign(target, value);
    });
    return { missing, unexpected };
  }

  /** Frees parameters and buffers now. */
  dispose(): void {
    for (const [, tensor] of [...this.namedParameters(), ...this.namedBuffers()]) tensor.dispose();
  }

  /** The tree of modules with their options, a line each. */
  toString(): string {
    const children = [...this.namedChildren()];
    const head = `${this.constructor.name}(${this.describe()})`;
    if (children.length === 0) return head;
    const lines = children.map(([name, child]) => `  ${name}: ${child.toString().replaceAll('\n', '\n  ')}`);
    return `${this.constructor.name}(\n${lines.join('\n')}\n)`;
  }

  /** Options shown by `toString()`. */
  protected describe(): string {
    return '';
  }
}

/** What has to agree for one to be loaded into the other, but for the device. */
function describeState(value: unknown): string {
  if (!isTensor(value)) return showValue(value);
  return value.isDisposed ? 'a disposed tensor' : `${value.dtype} [${String(value.shape)}]`;
}

/** All state of a kind, each once, with its path. */
function* namedState<T extends State>(root: Module, kind: abstract new (...args: never[]) => T): Generator<[string, T]> {
  const seen = new Set<State>();
  for (const [path, module] of root.namedModules()) {
    for (const [name, value] of valuesWithin(module)) {
      if (!(value instanceof kind) || seen.has(value)) continue;
      seen.add(value);
      yield [joinPath(path, name), value];
    }
  }
}

/** What is saved, by key, in PyTorch's order: of each module its parameters, its buffers, its children. */
export function savedState(module: Module, op: string): Map<string, State> {
  const found = new Map<string, { readonly path: string; readonly tensor: State }>();
  for (const [path, tensor] of savedPaths(module)) {
    const key = stateKey(path);
    const other = found.get(key);
    if (other !== undefined)
      throw new ArgumentError({
        op,
        expected: 'a key for each property',
        got: `the key ${key} for ${other.path} and ${path}`,
        fix: 'rename one of them.',
      });
    found.set(key, { path, tensor });
  }
  return new Map([...found].map(([key, { tensor }]) => [key, tensor]));
}

/** Parameters and persistent buffers with every path to them. */
function* savedPaths(module: Module, prefix = '', above: readonly Module[] = []): Generator<[string, State]> {
  // A module that holds itself.
  if (above.includes(module)) return;
  const own = [...valuesWithin(module)].map(([name, value]) => [joinPath(prefix, name), value] as const);
  for (const [path, value] of own) if (value instanceof Parameter) yield [path, value];
  for (const [path, value] of own) if (value instanceof Buffer && value.persistent) yield [path, value];
  for (const [name, child] of module.namedChildren()) yield* savedPaths(child, joinPath(prefix, name), [...above, module]);
}
