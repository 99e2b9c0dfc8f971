/**
 * Arenas: many parameters in one flat block, so that an optimizer's step is one kernel and clipping one reduction.
 */

import type { DType } from '@gradus/backend';
import { ArgumentError } from './errors.ts';
import { NO_ATTRIBUTE, Node, attachStorage } from './graph/node.ts';
import { ALIAS, DATA, fullLike, withGradients } from './graph/record.ts';
import { shapeOf } from './graph/shape.ts';
import type { Shape } from './graph/shape.ts';
import { tracing } from './graph/tracing.ts';
import { flush } from './lowering/flush.ts';
import { compose } from './memory/scope.ts';
import { concatenate, slice } from './ops/movement.ts';
import { reshape } from './ops/reshape.ts';
import type { Runtime } from './runtime.ts';
import { State, assign } from './state.ts';
import { REQUIRES_GRAD, Tensor, nodeOf } from './tensor.ts';

interface Member {
  readonly tensor: Tensor;
  readonly offset: number;
  readonly shape: Shape;
}

/**
 * Parameters of one dtype and device in one flat block, `[size]`, in the order given, without gaps.
 *
 * The tensors become views of it. Gradients are gathered into a block of the same layout, which their kernels write directly.
 */
export class Arena {
  readonly dtype: DType;
  /** Elements of all members. */
  readonly size: number;
  readonly #members: readonly Member[];
  readonly #runtime: Runtime;
  readonly #flat: Tensor;
  /** Gradients that were set as one flat tensor, to be found as such. */
  #set: { readonly flat: Tensor; readonly parts: readonly (Node | null)[] } | null = null;
  /** The members' nodes as this arena made them, while the flat block is yet to be computed. */
  #pending: readonly Node[] = [];

  /** @throws ArgumentError when there are none, or dtypes or devices differ */
  constructor(tensors: readonly Tensor[]) {
    const nodes = tensors.map((t) => nodeOf(t, 'Arena'));
    const [first] = nodes;
    if (first === undefined) throw new ArgumentError({ op: 'Arena', expected: 'at least one tensor', got: 'none' });
    const odd = nodes.find((n) => n.dtype !== first.dtype || n.runtime !== first.runtime);
    if (odd !== undefined)
      throw new ArgumentError({
        op: 'Arena',
        expected: `tensors of ${first.dtype} on ${first.runtime.backend.name}`,
        got: `${odd.dtype} on ${odd.runtime.backend.name}`,
      });
    let at = 0;
    this.#members = tensors.map((tensor, i) => {
      const { shape } = nodes[i] ?? first;
      const member = { tensor, offset: at, shape };
      at += shape.size;
      return member;
    });
    this.dtype = first.dtype;
    this.size = at;
    this.#runtime = first.runtime;
    this.#flat = compose(() => new State(this.#pack()));
    this.#refresh();
  }

  #pack(): Tensor {
    return withGradients(false, () => concatenate(this.#members.map((m) => reshape(m.tensor, [-1]))));
  }

  /** All values, `[size]`. Members that were assigned from outside since the last look are gathered again. */
  get values(): Tensor {
    const { storage } = nodeOf(this.#flat, 'Arena');
    const isOwn = ({ tensor }: Member, i: number): boolean => {
      const node = nodeOf(tensor, 'Arena');
      return storage === null ? node === this.#pending[i] : node.storage === storage;
    };
    if (!this.#members.every(isOwn)) {
      compose(() => {
        assign(this.#flat, this.#pack());
        return [];
      });
      this.commit();
    }
    return this.#flat;
  }

  /** The tensors, in order. */
  get tensors(): readonly Tensor[] {
    return this.#members.map((m) => m.tensor);
  }

  /** Where each tensor begins. */
  get offsets(): readonly number[] {
    return this.#members.map((m) => m.offset);
  }

  /** Gradients of members `from` up to `to` (default all) as one flat tensor; 0 for those without. */
  gradients(from = 0, to: number = this.#members.length): Tensor {
    const set = this.#set;
    if (set !== null && from === 0 && to === this.#members.length && this.#members.every((m, i) => Tensor.gradientOf(m.tensor) === set.parts[i]))
      return set.flat;
    return concatenate(
      this.#members.slice(from, to).map(({ tensor, shape }) => {
        const { grad } = tensor;
        return grad === null ? fullLike(nodeOf(tensor, 'gradients'), 0, shapeOf([shape.size])) : reshape(grad, [-1]);
      }),
    );
  }

  /** Replaces the gradients of all members that have one by parts of `flat`, `[size]`. */
  setGradients(flat: Tensor): void {
    this.#forgetFlat();
    compose(() => {
      for (const { tensor, offset, shape } of this.#members) {
        if (Tensor.gradientOf(tensor) !== null) tensor.grad = reshape(slice(flat, [{ start: offset, end: offset + shape.size }]), shape.dims);
      }
      return [];
    });
    this.#set = { flat: unscoped(flat), parts: this.#members.map((m) => Tensor.gradientOf(m.tensor)) };
    tracing.active?.atEnd(() => this.#forgetFlat());
  }

  #forgetFlat(): void {
    this.#set?.flat.dispose();
    this.#set = null;
  }

  /** Sets all values, `[size]`, at the next {@link Arena.commit}. */
  assign(values: Tensor): void {
    assign(this.#flat, values);
  }

  /** Writes what was assigned, to this arena and any other state of its device. */
  commit(): void {
    flush(this.#runtime, []);
    this.#refresh();
  }

  /** Points the members at the values as they are now. */
  #refresh(): void {
    const flat = nodeOf(this.#flat, 'Arena');
    if (tracing.active !== null && flat.state === 'pending') this.#refreshPending();
    if (tracing.active !== null || flat.storage === null) return;
    for (const { tensor, offset, shape } of this.#members) {
      const old = nodeOf(tensor, 'Arena');
      const node = new Node(DATA, [], NO_ATTRIBUTE, shape, this.dtype, this.#runtime, old.traces & REQUIRES_GRAD);
      attachStorage(node, flat.storage, flat.offset + offset, null);
      Tensor.rebind(tensor, node);
    }
  }

  /** The same in a trace, where the values are yet to be computed: the members become parts of what will be. */
  #refreshPending(): void {
    compose(() =>
      withGradients(false, () => {
        for (const { tensor, offset, shape } of this.#members) {
          const part = nodeOf(reshape(slice(this.#flat, [{ start: offset, end: offset + shape.size }]), shape.dims), 'Arena');
          const traces = nodeOf(tensor, 'Arena').traces & REQUIRES_GRAD;
          Tensor.rebind(tensor, new Node(ALIAS, [part], NO_ATTRIBUTE, shape, this.dtype, this.#runtime, traces));
        }
        return [];
      }),
    );
    this.#pending = this.#members.map((m) => nodeOf(m.tensor, 'Arena'));
    tracing.active?.atEnd(() => (this.#pending = []));
  }

  /** Releases the flat block; the members keep their parts of it. */
  dispose(): void {
    this.#forgetFlat();
    this.#flat.dispose();
  }
}

/** Another handle on `t`, in no scope. */
function unscoped(t: Tensor): Tensor {
  return new Tensor(nodeOf(t, 'Arena'), false);
}
