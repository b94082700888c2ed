import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { denseNetNames } from '../../../src/saliency/networks/densenetNames.ts'
import { readWeights } from '../../../src/saliency/weights/read.ts'

const folder = new URL('../../checkpoints/', import.meta.url)

function read(file: string) {
  return readWeights(readFileSync(new URL(file, folder)), file)
}

describe('one network in every format', () => {
  const reference = read('tiny_hp.pkl')

  test.each([
    ['tiny_hp_dataparallel.pkl', 'PyTorch zip'],
    ['tiny_hp_legacy.pkl', 'PyTorch legacy'],
    ['tiny_hp_oldnames_wrapped_legacy.pkl', 'PyTorch legacy'],
    ['tiny_hp.safetensors', 'safetensors'],
  ])('%s holds the same tensors under the same names', (file, format) => {
    const weights = read(file)
    expect(weights.format).toBe(format)
    expect(weights.storedTypes).toEqual(['float32'])
    expect(weights.notes).toEqual([])
    const names = denseNetNames([...weights.tensors.keys()], file)
    const tensors = new Map([...weights.tensors].map(([name, tensor]) => [names?.get(name) ?? name, tensor]))
    expect([...tensors.keys()].toSorted()).toEqual([...reference.tensors.keys()].toSorted())
    const differing = [...reference.tensors].filter(([name, { shape, data }]) => {
      const other = tensors.get(name)
      return other?.shape.join() !== shape.join() || !bytesOf(other.data).equals(bytesOf(data))
    })
    expect(differing.map(([name]) => name)).toEqual([])
  })

  test('float16 is the same to half precision', () => {
    const weights = read('tiny_hp_fp16.pkl')
    expect(weights.storedTypes).toEqual(['float16'])
    expect([...weights.tensors.keys()]).toEqual([...reference.tensors.keys()])
    const differing = [...reference.tensors].filter(([name, { data }]) => {
      const halves = weights.tensors.get(name)?.data
      // Half a unit in the last of 11 bits; below 2^-14 the unit is 2^-24.
      const near = (value: number, half = NaN): boolean =>
        Math.abs(half - value) <= Math.max(Math.abs(value) * 2 ** -11, 2 ** -25)
      return halves?.length !== data.length || !data.every((value, i) => near(value, halves[i]))
    })
    expect(differing.map(([name]) => name)).toEqual([])
  })

  test('names are torchvision’s, and step counters are left out', () => {
    expect(reference.tensors.get('features.conv0.weight')?.shape).toEqual([16, 3, 7, 7])
    expect(reference.tensors.get('features.denseblock4.denselayer2.conv2.weight')?.shape).toEqual([8, 32, 3, 3])
    expect(reference.tensors.get('classifier_yaw.bias')?.shape).toEqual([61])
    expect([...reference.tensors.keys()].filter((name) => name.includes('tracked'))).toEqual([])
  })

  test('aligned float32 is viewed in place, not copied', () => {
    const bytes = readFileSync(new URL('tiny_hp.pkl', folder))
    // PyTorch aligns storages to 64 bytes from the start of the file; so must be the file in memory.
    const aligned = Buffer.from(new ArrayBuffer(bytes.length))
    bytes.copy(aligned)
    const { tensors } = readWeights(aligned, 'tiny_hp.pkl')
    const copied = [...tensors].filter(([, { data }]) => data.buffer !== aligned.buffer)
    expect(copied.map(([name]) => name)).toEqual([])
  })
})

function bytesOf(data: Float32Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}
