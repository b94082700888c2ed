import { decompress } from 'fzstd'

/** Of a fat binary (`fatbinary_section.h` of CUDA): one for each object file that nvcc compiled. */
const fatbinMagic = 0xba55ed50
/** Kernels of language models, which no network here calls: two thirds of the machine code. */
const language =
  /flash|MoeFC|3llm|[Aa]ttention|fpA_intB|GroupProblemShape|[Mm]oe|GroupQuery|QkvTo|KvCache|kv_cache|[Rr]otary|xqa|MatMulNBits|lean_fwd|[Bb]eam|Longformer|[Tt]ransformer/

/**
 * ONNX Runtime's CUDA provider for one kind of card: machine code for other architectures, and code that holds nothing but
 * kernels of language models, is overwritten with zeros in place, which compress to nothing. All addresses stay as they
 * are. `architectures` are compute capabilities, 90 for an H100. Says how many bytes of code are left.
 */
export function thinProvider(provider: Buffer, architectures: readonly number[]): number {
  const { start, end } = section(provider, '.nv_fatbin')
  let kept = 0
  for (let at = start; at < end - 16;) {
    if (provider.readUInt32LE(at) !== fatbinMagic) {
      at += 4
      continue
    }
    const headerSize = provider.readUInt16LE(at + 6)
    const next = at + headerSize + Number(provider.readBigUInt64LE(at + 8))
    kept += thinFatbin(provider, at + headerSize, next, architectures)
    at = next
  }
  return kept
}

function thinFatbin(provider: Buffer, from: number, end: number, architectures: readonly number[]): number {
  let kept = 0
  for (let at = from; at < end - 8;) {
    const headerSize = provider.readUInt32LE(at + 4)
    const size = Number(provider.readBigUInt64LE(at + 8))
    const packedSize = provider.readUInt32LE(at + 16)
    const architecture = provider.readUInt32LE(at + 28)
    const code = at + headerSize
    const isWanted =
      architectures.includes(architecture) && !isOfLanguage(provider.subarray(code, code + (packedSize || size)))
    if (isWanted) kept += size
    else provider.fill(0, code, code + size)
    at = code + size
  }
  return kept
}

/** Whether a compressed piece of machine code holds kernels, and only of language models. */
function isOfLanguage(packed: Uint8Array): boolean {
  const plain = Buffer.from(decompress(packed)).toString('latin1')
  const kernels = [...plain.matchAll(/\.text\.(_Z[\w$.]+)/g)].map(([, name = '']) => name)
  return kernels.length > 0 && kernels.every((name) => language.test(name) || name.includes('EmptyKernel'))
}

/** Where a section of a 64-bit ELF file lies. */
function section(elf: Buffer, wanted: string): { start: number; end: number } {
  const table = Number(elf.readBigUInt64LE(0x28))
  const entrySize = elf.readUInt16LE(0x3a)
  const count = elf.readUInt16LE(0x3c)
  const headerAt = (index: number): { name: number; start: number; end: number } => {
    const at = table + index * entrySize
    const start = Number(elf.readBigUInt64LE(at + 0x18))
    return { name: elf.readUInt32LE(at), start, end: start + Number(elf.readBigUInt64LE(at + 0x20)) }
  }
  const names = headerAt(elf.readUInt16LE(0x3e)).start
  for (let index = 0; index < count; index++) {
    const { name, start, end } = headerAt(index)
    const from = names + name
    if (elf.toString('latin1', from, elf.indexOf(0, from)) === wanted) return { start, end }
  }
  throw new Error(`the provider has no section ${wanted}`)
}
