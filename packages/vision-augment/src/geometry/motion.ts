/** The motion of each geometric operation: the matrix from the image before to the image after, and the size of the latter. */

import { AugmentError } from '../errors.ts';
import { requireSize } from '../image.ts';
import type { Size } from '../image.ts';
import type { AffineParameters, GeometricOperation } from '../operations.ts';
import { about, affineMatrix, inverse, turn } from './matrix.ts';
import type { Matrix, Point } from './matrix.ts';

/** Where an operation takes an image. */
export interface Motion extends Size {
  readonly matrix: Matrix;
  /** Whether parts of the image before can be outside the image after. */
  readonly cuts: boolean;
}

/** What is beyond this part of a pixel counts as rounding when a canvas is made large enough for a rotated image. */
const CANVAS_TOLERANCE = 1e-9;

const centre = ({ width, height }: Size): Point => [width / 2, height / 2];

/** The motion of one operation, whose fields have been checked, on an image of this size. @throws AugmentError for what makes no sense for it */
export function motionOf(operation: GeometricOperation, size: Size): Motion {
  const { width, height } = size;
  switch (operation.op) {
    case 'horizontalFlip':
      return { width, height, matrix: affineMatrix(-1, 0, width, 0, 1, 0), cuts: false };
    case 'verticalFlip':
      return { width, height, matrix: affineMatrix(1, 0, 0, 0, -1, height), cuts: false };
    case 'rotate90':
      return rotation(90 * operation.turns, true, size);
    case 'crop':
      return crop(operation, size);
    case 'rotate':
      return rotation(operation.degrees, operation.expand, size);
    case 'affine':
      return { width, height, matrix: affine(operation, size), cuts: true };
  }
  operation.op satisfies 'resize';
  requireSize('resize', operation);
  const matrix = affineMatrix(operation.width / width, 0, 0, 0, operation.height / height, 0);
  return { width: operation.width, height: operation.height, matrix, cuts: false };
}

function crop({ x, y, width, height }: Size & { readonly x: number; readonly y: number }, size: Size): Motion {
  requireSize('crop', { width, height });
  const inside = Number.isInteger(x) && Number.isInteger(y) && x >= 0 && y >= 0 && x + width <= size.width && y + height <= size.height;
  if (!inside)
    throw new AugmentError({
      op: 'crop',
      expected: `a part of the image, which is ${size.width} × ${size.height}`,
      got: `${width} × ${height} at (${x}, ${y})`,
      fix: 'resize first, or crop less',
    });
  return { width, height, matrix: affineMatrix(1, 0, -x, 0, 1, -y), cuts: width < size.width || height < size.height };
}

/** About the centre. With `expand`, the canvas is Pillow's: all pixels that the rotated image touches, about its old centre. */
function rotation(degrees: number, expand: boolean, size: Size): Motion {
  const { cos, sin } = turn(degrees);
  const linear = [cos, sin, -sin, cos] as const; // y points down, so this turns counter-clockwise
  if (!expand) return { ...size, matrix: about(linear, centre(size), centre(size)), cuts: true };
  const reach = (along: number, across: number, middle: number): number =>
    Math.ceil(middle + (along + across) / 2 - CANVAS_TOLERANCE) - Math.floor(middle - (along + across) / 2 + CANVAS_TOLERANCE);
  const right = cos === 0 || sin === 0;
  const across = { width: sin === 0 ? size.width : size.height, height: sin === 0 ? size.height : size.width };
  const canvas = right
    ? across
    : {
        width: reach(Math.abs(cos) * size.width, Math.abs(sin) * size.height, size.width / 2),
        height: reach(Math.abs(sin) * size.width, Math.abs(cos) * size.height, size.height / 2),
      };
  return { ...canvas, matrix: about(linear, centre(size), centre(canvas)), cuts: false };
}

function affine({ degrees, translate, scale, shear }: AffineParameters, size: Size): Matrix {
  const { cos, sin } = turn(degrees);
  const [shearX, shearY] = [Math.tan((shear[0] * Math.PI) / 180), Math.tan((shear[1] * Math.PI) / 180)];
  // Scale · shear along x (which slides the bottom right) · shear along y (which slides the right down) · turn.
  const [a, b, d, e] = [1 + shearX * shearY, shearX, shearY, 1];
  const linear = [scale * (a * cos - b * sin), scale * (a * sin + b * cos), scale * (d * cos - e * sin), scale * (d * sin + e * cos)] as const;
  const [x, y] = centre(size);
  const matrix = about(linear, [x, y], [x + translate[0], y + translate[1]]);
  if (inverse(matrix) === undefined)
    throw new AugmentError({ op: 'affine', expected: 'a scale and a shear that keep an area', got: `scale ${scale}, shear [${shear.join(', ')}]` });
  return matrix;
}
