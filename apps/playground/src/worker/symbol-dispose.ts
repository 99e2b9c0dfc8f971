/** `Symbol.dispose` for engines without it, as Safari: `using`, which the build lowers, looks for it by this name. Imported before anything else. */

for (const name of ['dispose', 'asyncDispose'] as const) {
  if (Symbol[name] === undefined) Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}
