/** Changes of device, marked in a chart: a dashed line each, and beside it the device that took over. */

import type uPlot from 'uplot';
import type { DeviceName } from '../choices.ts';

/** A change of device. */
export interface Move {
  readonly images: number;
  readonly to: DeviceName;
}

/** Names are written in so many rows, so that neighbours do not meet. */
const ROWS = 3;
/** In CSS pixels. */
const ROW_HEIGHT = 13;
const GAP = 4;
const DASH = 3;
/** Names stand to the right of their line up to here, as a share of the chart's width. */
const ROOM = 0.8;

/** Draws them. @param at where the names are: away from the curves */
export function drawMoves(plot: uPlot, moves: readonly Move[], colour: string, at: 'top' | 'bottom'): void {
  const { ctx, bbox } = plot;
  const unit = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = unit;
  ctx.setLineDash([DASH * unit, DASH * unit]);
  ctx.font = `${11 * unit}px system-ui, sans-serif`;
  ctx.textBaseline = at;
  for (const [i, { images, to }] of moves.entries()) {
    const x = plot.valToPos(images, 'x', true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const row = (i % ROWS) * ROW_HEIGHT * unit;
    const right = x < bbox.left + ROOM * bbox.width;
    ctx.textAlign = right ? 'left' : 'right';
    ctx.fillText(to, x + (right ? GAP : -GAP) * unit, at === 'top' ? bbox.top + row : bbox.top + bbox.height - row);
  }
  ctx.restore();
}
