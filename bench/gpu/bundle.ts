import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findExecutable } from '../../src/base/executable.ts'
import { createLogger } from '../../src/base/telemetry.ts'
import { installCuda } from '../../src/machine/cudaInstallation.ts'
import { provideRedisProgram } from '../../src/queue/redisPackage.ts'
import { programFolder, unpackedProgram } from '../../src/queue/redisProgram.ts'
import { installations } from '../../src/saliency/engines/openEngine.ts'
import { sampleImage } from './files.ts'
import { thinProvider } from './thinProvider.ts'
import { parsed, UsageError } from './usage.ts'

const help = `Packs the GPU command with all that it needs into one archive of less than 64 MiB.

  npm run bench -- gpu-bundle

  --out FILE           default: headlight-gpu.tar.xz
  --architecture N     compute capability of the card, 90 for H100 and H200 (default), 89 for L4, 80 for A100; may be repeated
  --without-cuda       without the CUDA engine, to rehearse
  --fast               packs loosely, to rehearse: a minute instead of five

On the GPU machine: tar xf headlight-gpu.tar.xz (or python3 -m tarfile -e headlight-gpu.tar.xz .), then: sh gpu.sh
`

const root = fileURLToPath(new URL('../../', import.meta.url))
const limitMiB = 64
const binding = join('node_modules', 'onnxruntime-node', 'bin', 'napi-v6')
/** Libraries through which WebGPU finds the driver of a card on a machine that was never meant to draw. */
const vulkanPackages = ['libvulkan1', 'libegl1', 'libglvnd0', 'libopengl0', 'libgl1', 'libglx0', 'libgles2']

/** `npm run bench -- gpu-bundle`; gives the exit code. */
export async function makeBundle(args: readonly string[]): Promise<number> {
  const { values: o } = parsed({
    args: [...args],
    options: {
      out: { type: 'string', default: 'headlight-gpu.tar.xz' },
      architecture: { type: 'string', multiple: true, default: ['90'] },
      'without-cuda': { type: 'boolean', default: false },
      fast: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (o.help) {
    console.log(help)
    return 0
  }
  const architectures = o.architecture.map(Number)
  if (!architectures.every((one) => Number.isInteger(one) && one >= 50)) {
    throw new UsageError(`--architecture ${o.architecture.join(', ')}: give a compute capability such as 90`)
  }
  const out = resolve(o.out)
  mkdirSync(dirname(out), { recursive: true })
  const bundle = mkdtempSync(join(tmpdir(), 'headlight-bundle-'))
  try {
    say('headlight, compiled, with its production dependencies')
    addApp(join(bundle, 'app'))
    say('Node, Redis and what they need')
    addNode(bundle)
    await addRedis(join(bundle, 'state'))
    addVulkan(join(bundle, 'lib'))
    if (!o['without-cuda']) await addCuda(join(bundle, 'engines'), architectures)
    say('packing')
    pack(bundle, out, o.fast)
  } finally {
    rmSync(bundle, { recursive: true, force: true })
  }
  const sizeMiB = statSync(out).size / 2 ** 20
  console.log(`${out}: ${sizeMiB.toFixed(1)} MiB`)
  if (sizeMiB <= limitMiB || o.fast) return 0
  console.error(`that is more than ${limitMiB} MiB, which some ways to a GPU machine do not take`)
  return 1
}

const say = (line: string): void => console.error(`${line} …`)

function addApp(app: string): void {
  mkdirSync(app)
  for (const file of ['package.json', 'package-lock.json', 'config'])
    cpSync(join(root, file), join(app, file), { recursive: true })
  const project = fileURLToPath(new URL('./tsconfig.json', import.meta.url))
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', project, '--outDir', app])
  for (const file of ['bench/gpu/contender.py', 'bench/gpu/standIn', ...testData()]) {
    mkdirSync(dirname(join(app, file)), { recursive: true })
    cpSync(join(root, file), join(app, file), { recursive: true })
  }
  run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], app)
  thinModules(app)
}

/** What conformance is held against, and what is shown to networks. */
function testData(): string[] {
  const files = [
    'test/golden/index.json',
    'test/checkpoints/tiny_hp.pkl',
    'examples/models/heads.pkl',
    'examples/models/heads.pkl.yaml',
  ]
  const [first, ...others] = readdirSync(join(root, 'test', 'golden', 'tiny'))
  if (first === undefined) throw new Error('there are no golden data in test/golden/tiny')
  const arrays = [first, ...others].flatMap((id) =>
    readdirSync(join(root, 'test', 'golden', 'tiny', id))
      .filter((name) => name.endsWith('.npy.gz') && !name.startsWith('input'))
      // Whole gradients of one image are enough: each is half a MB that nothing compresses.
      .filter((name) => id === first || /_sub4|crop|logits|norm_sum_stem/.test(name))
      .map((name) => `test/golden/tiny/${id}/${name}`),
  )
  return [...files, relative(root, sampleImage), ...arrays]
}

/** Without other systems' binaries, types, sources, tests, and the WASM engine, which is slower than all others. */
function thinModules(app: string): void {
  const modules = join(app, 'node_modules')
  for (const folder of ['@tensorflow', '@types', join('zod', 'src')]) {
    rmSync(join(modules, folder), { recursive: true, force: true })
  }
  for (const other of ['darwin', 'win32', join('linux', 'arm64')]) {
    rmSync(join(app, binding, other), { recursive: true, force: true })
  }
  for (const entry of readdirSync(modules, { recursive: true, withFileTypes: true })) {
    const isUseless = entry.isDirectory() ? entry.name === 'test' : /\.(d\.[mc]?ts|map|md|markdown)$/.test(entry.name)
    if (isUseless) rmSync(join(entry.parentPath, entry.name), { recursive: true, force: true })
  }
}

function addNode(bundle: string): void {
  const node = join(bundle, 'node')
  copyFileSync(realpathSync(process.execPath), node)
  chmodSync(node, 0o755)
  const strip = program('strip')
  if (strip !== null) run(strip, [node])
  const bin = join(bundle, 'bin')
  mkdirSync(bin)
  const flock = program('flock')
  if (flock === null) throw new Error('the program flock is not on the PATH: install util-linux')
  copyFileSync(flock, join(bin, 'flock'))
  copyFileSync(beside('ldd.sh'), join(bin, 'ldd'))
  copyFileSync(beside('sh.sh'), join(bin, 'sh'))
  copyFileSync(beside('gpu.sh'), join(bundle, 'gpu.sh'))
  for (const name of readdirSync(bin)) chmodSync(join(bin, name), 0o755)
  chmodSync(join(bundle, 'gpu.sh'), 0o755)
}

const beside = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url))

const program = (name: string): string | null => findExecutable(name, process.env['PATH'] ?? '')

/** The distribution's own, unpacked, also where this machine has one installed: that one needs libraries of this machine. */
async function addRedis(stateFolder: string): Promise<void> {
  const tools = mkdtempSync(join(tmpdir(), 'headlight-tools-'))
  try {
    for (const name of ['apt-get', 'dpkg-deb', 'ldd', 'flock', 'sh']) {
      const path = program(name)
      if (path !== null) symlinkSync(path, join(tools, name))
    }
    await provideRedisProgram({ searchPath: tools, stateFolder, log: createLogger('silent') })
  } finally {
    rmSync(tools, { recursive: true, force: true })
  }
  const usr = join(stateFolder, 'redis-program', 'root', 'usr')
  // The server is a link to one of the tools, which is the same program by another name.
  const server = readdirSync(join(usr, 'bin')).filter((name) => name.endsWith('-server'))
  const needed = [...server, ...server.map((name) => basename(realpathSync(join(usr, 'bin', name))))]
  const others = readdirSync(join(usr, 'bin')).filter((name) => !needed.includes(name))
  for (const useless of ['share', join('lib', 'systemd'), ...others.map((name) => join('bin', name))]) {
    rmSync(join(usr, useless), { recursive: true, force: true })
  }
  run(unpackedProgram(programFolder(stateFolder)), ['--version'])
}

function addVulkan(lib: string): void {
  mkdirSync(lib)
  const folder = mkdtempSync(join(tmpdir(), 'headlight-vulkan-'))
  try {
    run('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...vulkanPackages], folder)
    for (const name of readdirSync(folder)) run('dpkg-deb', ['-x', join(folder, name), join(folder, 'root')])
    const libraries = join(folder, 'root', 'usr', 'lib', 'x86_64-linux-gnu')
    for (const name of readdirSync(libraries).filter((file) => file.includes('.so'))) {
      cpSync(join(libraries, name), join(lib, name), { verbatimSymlinks: true })
    }
  } catch {
    console.error('the Vulkan loader could not be downloaded: without it, WebGPU runs only where the machine has one')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What `headlight engine install cuda` makes of it, once for all bundles, cut down to one kind of card. */
async function addCuda(engines: string, architectures: readonly number[]): Promise<void> {
  const enginesFolder = join(root, 'node_modules', '.cache', 'headlight-gpu', 'engines')
  mkdirSync(enginesFolder, { recursive: true })
  say('the CUDA engine, whose first download is of 270 MB')
  // What it says of libraries is said of this machine, which is not the one that counts.
  await installCuda({ enginesFolder, homeFolder: homedir(), environment: process.env, say: () => undefined })
  const { folder, mark } = installations.cuda
  const installed = join(enginesFolder, folder)
  if (!existsSync(join(installed, mark))) throw new Error('the CUDA engine could not be installed')
  // Links to this machine's libraries.
  cpSync(installed, join(engines, folder), {
    recursive: true,
    filter: (path) => relative(installed, path).split('/')[0] !== 'libraries',
  })
  thinModules(join(engines, folder))
  const path = join(engines, folder, binding, 'linux', 'x64', 'libonnxruntime_providers_cuda.so')
  const provider = readFileSync(path)
  const keptBytes = thinProvider(provider, architectures)
  if (keptBytes === 0)
    throw new Error(`the CUDA provider holds no machine code for architecture ${architectures.join(', ')}`)
  writeFileSync(path, provider)
  console.error(
    `  ${(keptBytes / 2 ** 20).toFixed(1)} MiB of machine code for architecture ${architectures.join(', ')} kept`,
  )
}

/** The two copies of ONNX Runtime stand side by side, so that the second one costs a third. */
function pack(bundle: string, out: string, isFast: boolean): void {
  const files = readdirSync(bundle, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name, parentPath }) => relative(bundle, join(parentPath, name)))
    .toSorted((a, b) => Number(isRuntime(b)) - Number(isRuntime(a)) || (a < b ? -1 : 1))
  const [list, tar] = [`${out}.list`, `${out}.tar`]
  writeFileSync(list, `${files.join('\n')}\n`)
  const filters = isFast ? ['-1', '-T0'] : ['--x86', '--lzma2=preset=9e,dict=128MiB']
  try {
    run('tar', ['-C', bundle, '--owner=0', '--group=0', '-T', list, '-cf', tar])
    run('xz', [...filters, tar])
    renameSync(`${tar}.xz`, out)
  } finally {
    rmSync(list, { force: true })
    rmSync(tar, { force: true })
  }
}

const isRuntime = (path: string): boolean => basename(path).startsWith('libonnxruntime.so')

function run(command: string, args: readonly string[], cwd = root): void {
  execFileSync(command, [...args], { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
}
