/**
 * Other modules in place of some in a tree, in a new tree: the old one stays as it is.
 *
 * The paths to what is replaced are copied, everything else is shared, as in persistent data structures (Driscoll et al., "Making Data
 * Structures Persistent", 1989). A copy has the class and the properties of its original. `#` members cannot be copied by anyone but the
 * class itself, so a class that has them and holds what is replaced is refused.
 */

import { ArgumentError } from '@gradus/tensor';
import { Module } from './module.ts';
import { isContainer } from './paths.ts';

/** The use of a private member in a class's source: `this.#count`, `#count in other`. */
const PRIVATE_MEMBER = /\.#[\w$]|#[\w$]+ in /;

/**
 * The tree of `root` with the values of `replacements` where their keys were; `root` itself if it holds none of them. A module that is held
 * twice is replaced, or copied, once.
 *
 * Shared with the old tree: modules that hold nothing replaced, with their mode, and all parameters and buffers. So training either tree
 * trains what they share. Functions among the properties are shared too: an arrow function that uses `this` still uses the original.
 * @throws ArgumentError for a class with `#` members above what is replaced, before anything is made
 */
export function replaceModules(root: Module, replacements: ReadonlyMap<Module, Module>): Module {
  const copied = [...root.modules()].filter((module) => !replacements.has(module) && holdsAny(module, replacements));
  for (const module of copied) requireCopyable(module);
  const made = new Map<object, object>(replacements);

  /** What stands in the new tree for a value in the old one. */
  const renewed = (value: unknown): unknown => {
    if (value instanceof Module ? !(made.has(value) || copied.includes(value)) : typeof value !== 'object' || !isContainer(value)) return value;
    const old = value as object;
    const known = made.get(old);
    if (known !== undefined) return known;
    const copy = (Array.isArray(old) ? [] : Object.create(Object.getPrototypeOf(old) as object | null)) as object;
    // Known before its parts are: they may hold it.
    made.set(old, copy);
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(old)))
      Object.defineProperty(copy, name, 'value' in property ? { ...property, value: renewed(property.value) } : property);
    if (old instanceof Module) (copy as Module).training = old.training;
    return copy;
  };
  return renewed(root) as Module;
}

function holdsAny(module: Module, sought: ReadonlyMap<Module, Module>): boolean {
  return [...module.modules()].some((below) => sought.has(below));
}

function requireCopyable(module: Module): void {
  for (let at = Object.getPrototypeOf(module) as object; at !== Module.prototype; at = Object.getPrototypeOf(at) as object) {
    if (!PRIVATE_MEMBER.test(Function.prototype.toString.call(at.constructor))) continue;
    throw new ArgumentError({
      op: 'replaceModules',
      expected: 'classes without # members around the modules to replace, for these cannot be copied',
      got: at.constructor.name,
      fix: 'declare its members `private` instead.',
    });
  }
}
