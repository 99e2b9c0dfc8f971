/** Optional kernel: attention without the score matrix. Dao et al., "FlashAttention", 2022; the passes and what they keep are theirs. */

import type { KernelBase } from './kernel.ts';

/**
 * Scaled dot-product attention. Sizes in `dims`: `B, heads, keyHeads, T, S`; all operands are dense (see `optional.ts`).
 *
 * `heads` is a multiple of `keyHeads`; head h uses key head `floor(h / (heads / keyHeads))`. T and S may differ.
 * | pass | operands |
 * |---|---|
 * | forward | q, k, v, mask, y, lse |
 * | backward | q, k, v, mask, y, lse, gradient of y, then what is written: gradients of q, k and v |
 *
 * q, y and their gradients are `[B, heads, T, headDim]`, k, v and theirs `[B, keyHeads, S, headDim]`, of one float dtype; mask `[B, T, S]` is there
 * unless `mask` is `none`; lse, the row's log-sum-exp, is `[B, heads, T]` in float64 for float64, else in float32, and so is scalar 0, the scale.
 *
 * With `mask: 'bool'` key s is allowed for query t where the mask is true; with `additive`, a mask of q's dtype is added to the scores.
 * `causal` allows `s <= t` alone, counted from the first query and the first key whatever T and S are (as PyTorch's `is_causal`); both must allow.
 * ```
 * score[t, s] = scale · Σ_d q[t, d] · k[s, d] (+ mask[t, s]), -Infinity where not allowed
 * lse[t]      = log Σ_s exp(score[t, s])
 * p[t, s]     = exp(score[t, s] - lse[t])
 * y[t]        = Σ_s p[t, s] · v[s]
 *
 * dscore[t, s] = p[t, s] · (Σ_d g[t, d] · v[s, d] - Σ_d g[t, d] · y[t, d])
 * dq[t] = scale · Σ_s dscore[t, s] · k[s]
 * dk[s] = scale · Σ dscore[t, s] · q[t]        over t and the heads that use the key head
 * dv[s] = Σ p[t, s] · g[t]                     over the same
 * ```
 * A row whose scores are all -Infinity (nothing is allowed, or S is 0) gives 0, an lse of -Infinity, and no gradient; a gradient that nothing
 * is added to is 0. A score of NaN or +Infinity makes its row of y, and its lse, NaN. What a key that is not allowed, and its value, hold must be finite: whether
 * `0 · Infinity` is calculated there is not said. The mask gets no gradient.
 * Arithmetic is in float32 at least (float64 for float64), sums as accurate as those of a reduce; what is stored is rounded once.
 */
export interface AttentionKernel extends KernelBase {
  readonly kind: 'attention';
  readonly pass: 'forward' | 'backward';
  readonly headDim: number;
  readonly causal: boolean;
  readonly mask: 'none' | 'bool' | 'additive';
}
