// A graphics card in software, for tests and benchmarks of WebGPU on machines without one: the SwiftShader Vulkan driver that the npm package
// @sparticuz/chromium brings. It is unpacked once into node_modules/.cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { root } from './run.mjs';

const DRIVER = 'vk_swiftshader_icd.json';
const LOADER = 'libvulkan.so.1';
/** glibc's flag that a library, once loaded, stays. */
const RTLD_NODELETE = 0x1000;

// The package is among those of the repository's root.
const require = createRequire(join(root, 'package.json'));

function unpack(folder) {
  const archive = join(dirname(require.resolve('@sparticuz/chromium')), '../../bin/swiftshader.tar.br');
  mkdirSync(dirname(folder), { recursive: true });
  // Several processes may come here at once: each unpacks into a folder of its own, and the first one's is kept.
  const own = mkdtempSync(`${folder}-`);
  writeFileSync(join(own, 'driver.tar'), brotliDecompressSync(readFileSync(archive)));
  const { status, stderr } = spawnSync('tar', ['xf', 'driver.tar'], { cwd: own, encoding: 'utf8' });
  if (status !== 0) throw new Error(`unpacking ${archive} failed: ${stderr}`);
  rmSync(join(own, 'driver.tar'));
  try {
    renameSync(own, folder);
  } catch (error) {
    if (!existsSync(join(folder, DRIVER))) throw error;
    rmSync(own, { recursive: true });
  }
}

/**
 * Makes Dawn (npm `webgpu`), when it is loaded later in this process, find the software driver; a driver named by VK_ICD_FILENAMES is left alone.
 * False where there is none for this platform.
 */
export function useSwiftShader() {
  if (process.env.VK_ICD_FILENAMES !== undefined) return true;
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  const folder = join(root, 'node_modules/.cache/swiftshader');
  if (!existsSync(join(folder, DRIVER))) unpack(folder);
  process.env.VK_ICD_FILENAMES = join(folder, DRIVER);
  try {
    // Dawn asks for the Vulkan loader by name. Machines without graphics have none, so the one beside the driver is loaded first.
    process.dlopen({ exports: {} }, join(folder, LOADER), constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch {
    // It is no module of Node.js, so this always throws; what counts is that it is loaded.
  }
  return true;
}
