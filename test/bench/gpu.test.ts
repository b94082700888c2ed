import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { benchGpu } from '../../bench/gpu/gpu.ts'
import { cards, sampleCard } from '../../bench/gpu/nvidiaSmi.ts'
import { productRounding, tf32Error } from '../../bench/gpu/productRounding.ts'
import { Report } from '../../bench/gpu/report.ts'
import { thinProvider } from '../../bench/gpu/thinProvider.ts'
import { withUsage } from '../../bench/gpu/usage.ts'
import { gpuMemoryUsed } from '../../src/machine/gpuMemory.ts'
import type { OpenExecutor } from '../../src/saliency/engines/engine.ts'
import { findEngine } from '../../src/saliency/engines/openEngine.ts'
import { bench, written } from '../support/gpuBench.ts'

const folder = mkdtempSync(join(tmpdir(), 'headlight-gpu-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const root = fileURLToPath(new URL('../..', import.meta.url))
const heading = { machine: 'a card', headlight: '1', startedAt: 'today', rehearsal: false }

describe('npm run bench -- gpu', () => {
  it('refuses a machine without a GPU in one sentence, once it has said what is there', async () => {
    const out = join(folder, 'none')
    const { code, stdout } = await bench(['--out', out, '--engines-folder', folder])
    // On a machine that has one, all of it would be measured here.
    if (!stdout.includes('there is no NVIDIA GPU here')) return
    expect(code).toBe(1)
    expect(written(out).steps).toMatchObject({ machine: { state: 'failed' } })
    expect(stdout).toMatch(/^onnxruntime:cpu +yes/m)
  })

  it('refuses options that there are not in one sentence, and writes nothing', async () => {
    const out = join(folder, 'refused')
    const { code, stderr } = await bench(['--minutes', 'x', '--out', out])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^--minutes x: give a number of minutes .*\n$/)
    for (const [args, sentence] of [
      [['--only', 'nonsense'], '--only nonsense: there are the steps machine, '],
      [['--engines', 'nonsense'], '--engines nonsense: there are onnxruntime:cpu, '],
      [['--nonsense'], "Unknown option '--nonsense'"],
    ] as const) {
      expect(await refusal([...args, '--out', out])).toContain(sentence)
    }
    expect(existsSync(out)).toBe(false)
  })

  /** The one sentence of a call within this process: a start of the command takes a second. */
  async function refusal(args: readonly string[]): Promise<string> {
    const said = vi.spyOn(console, 'error').mockReturnValue(undefined)
    onTestFinished(() => said.mockRestore())
    expect(await withUsage(() => benchGpu(args))).toBe(2)
    expect(said).toHaveBeenCalledOnce()
    const [sentence] = said.mock.lastCall ?? []
    said.mockRestore()
    expect(sentence).not.toContain('\n')
    return String(sentence)
  }

  it('interrupted, keeps what is known and leaves nothing behind', { timeout: 240_000 }, async () => {
    const out = join(folder, 'interrupted')
    const scratch = join(folder, 'scratch')
    mkdirSync(scratch)
    const args = ['--import', 'tsx', 'bench/main.ts', 'gpu', '--rehearse', '--engines', 'onnxruntime:cpu']
    const child = spawn(process.execPath, [...args, '--python', 'none', '--out', out], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TMPDIR: scratch },
    })
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('conformance …')) resolve()
      })
    })
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(written(out).steps).toMatchObject({
      machine: { state: 'done' },
      conformance: { state: 'failed', problem: 'it was interrupted' },
    })
    expect(Object.keys(written(out).steps)).toHaveLength(2)
    expect(readdirSync(scratch).filter((name) => name.startsWith('headlight-'))).toEqual([])
  })

  it('tells its options', async () => {
    expect((await bench(['--help'])).stdout).toContain('--only STEP')
  })
})

describe('the report', () => {
  it('is on the disk with every finding, and goes on with the steps of the same machine', () => {
    const out = join(folder, 'report')
    const step = new Report(out, heading, false).begin('machine')
    step.table('what is there', ['name', 'number'])(['one', '1'])
    expect(readFileSync(join(out, 'gpu.txt'), 'utf8')).toMatch(
      /machine \(0 s, running\)[^]*what is there\nname  number\none +1\n/,
    )
    step.fact('known', 7)
    step.end(null)
    expect(new Report(out, heading, true).fact('machine', 'known', z.number())).toBe(7)
    expect(existsSync(join(out, 'gpu.json.new'))).toBe(false)

    const later = new Report(out, { ...heading, startedAt: 'tomorrow' }, true)
    later.begin('units').end('broken')
    expect(written(out).steps).toMatchObject({ machine: { state: 'done' }, units: { state: 'failed' } })
    expect(later.isSound).toBe(false)

    new Report(out, { ...heading, machine: 'another card' }, true).begin('speed').end(null)
    expect(Object.keys(written(out).steps)).toEqual(['speed'])
  })

  it('fails when an aim was missed, not when one could not be judged', () => {
    const report = new Report(join(folder, 'verdicts'), heading, false)
    const step = report.begin('speed')
    step.end(null)
    const verdict = { what: 'speed', aim: '≥ 2', found: '1' }
    step.verdict({ ...verdict, ok: null })
    expect(report.isSound).toBe(true)
    step.verdict({ ...verdict, ok: false })
    expect(report.isSound).toBe(false)
    expect(report.text).toContain('MISSED')
  })
})

describe('the stand-in for nvidia-smi', () => {
  const environment = { ...process.env, PATH: `${root}/bench/gpu/standIn:${process.env['PATH']}` }

  it('answers what is asked of the real one', async () => {
    expect(await cards(environment)).toEqual([
      { name: 'Stand-in', driver: '0.0', computeCapability: '0.0', memoryMb: 1000 },
    ])
    vi.stubEnv('PATH', environment.PATH)
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(await gpuMemoryUsed({ CUDA_VISIBLE_DEVICES: '0' })).toBe(100 * 2 ** 20)
    expect(await gpuMemoryUsed({ CUDA_VISIBLE_DEVICES: '' })).toBeNull()
  })

  it('is looked at until the looking is stopped', async () => {
    const card = sampleCard('0', environment)
    await expect.poll(() => card.samples.length).toBeGreaterThan(1)
    card.stop()
    expect(card.samples[0]).toMatchObject({ busyPercent: 50, usedMb: 100 })
  })
})

describe('whether TF32 is off', () => {
  it('is told by products that float32 has exactly', async () => {
    expect(await productRounding(await findEngine('onnxruntime:cpu'))).toEqual({ matmul: 0, conv: 0 })
  })

  it('is told of an engine that rounds to ten bits of mantissa', async () => {
    const open = await findEngine('onnxruntime:cpu')
    const rounding: OpenExecutor = async (graph, options) => {
      const executor = await open(graph, options)
      const rounded = (x: number): number => Math.round(x * 2 ** 10) / 2 ** 10
      return {
        ...executor,
        run: (inputs) => executor.run(new Map([...inputs].map(([name, data]) => [name, data.map(rounded)]))),
      }
    }
    const { matmul, conv } = await productRounding(rounding)
    expect(Math.min(matmul, conv)).toBeGreaterThanOrEqual(tf32Error)
  })
})

describe('the provider for one kind of card', () => {
  it('keeps the code of that card, byte for byte, and the place of everything', () => {
    const { elf, at } = providerOf([90, 80, 90])
    const before = Buffer.from(elf)
    expect(thinProvider(elf, [90])).toBe(32)
    expect(elf.length).toBe(before.length)
    const [first = 0, second = 0, third = 0] = at
    for (const start of [first, third]) {
      expect(elf.subarray(start, start + 16)).toEqual(before.subarray(start, start + 16))
    }
    expect(elf.subarray(second, second + 16)).toEqual(Buffer.alloc(16))
  })

  it('says what it cannot read', () => {
    const elf = providerOf([90]).elf
    elf.write('.nothing_____', elf.indexOf('.nv_fatbin'))
    expect(() => thinProvider(elf, [90])).toThrow('no section .nv_fatbin')
  })
})

/** An ELF file with nothing but a section of machine code: one fat binary per architecture, 16 bytes of code each. */
function providerOf(architectures: readonly number[]): { elf: Buffer; at: number[] } {
  // An empty frame of zstd, and what fills it up to 16 bytes.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00])
  const [outer, inner, code] = [16, 64, 16]
  const fatbins = architectures.map((architecture) => {
    const fatbin = Buffer.alloc(outer + inner + code, 7)
    fatbin.writeUInt32LE(0xba55ed50, 0)
    fatbin.writeUInt16LE(outer, 6)
    fatbin.writeBigUInt64LE(BigInt(inner + code), 8)
    fatbin.writeUInt32LE(inner, outer + 4)
    fatbin.writeBigUInt64LE(BigInt(code), outer + 8)
    fatbin.writeUInt32LE(frame.length, outer + 16)
    fatbin.writeUInt32LE(architecture, outer + 28)
    frame.copy(fatbin, outer + inner)
    return fatbin
  })
  const text = Buffer.concat(fatbins)
  const names = Buffer.from('\0.nv_fatbin\0.shstrtab\0')
  const [textAt, namesAt] = [64, 64 + text.length]
  const tableAt = namesAt + names.length
  const elf = Buffer.concat([Buffer.alloc(64), text, names, Buffer.alloc(2 * 64)])
  elf.writeBigUInt64LE(BigInt(tableAt), 0x28)
  elf.writeUInt16LE(64, 0x3a)
  elf.writeUInt16LE(2, 0x3c)
  elf.writeUInt16LE(1, 0x3e)
  for (const [index, [name, start, size]] of [
    [1, textAt, text.length],
    [12, namesAt, names.length],
  ].entries() as Iterable<[number, [number, number, number]]>) {
    elf.writeUInt32LE(name, tableAt + index * 64)
    elf.writeBigUInt64LE(BigInt(start), tableAt + index * 64 + 0x18)
    elf.writeBigUInt64LE(BigInt(size), tableAt + index * 64 + 0x20)
  }
  const at = architectures.map((_, index) => textAt + index * (outer + inner + code) + outer + inner)
  return { elf, at }
}
