import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { DescriptionOverride } from '../../../src/saliency/networks/description.ts'
import { parseDescriptionFile } from '../../../src/saliency/networks/descriptionFile.ts'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import { fitting, isAsAssumed } from '../../../src/saliency/networks/fit.ts'
import { galleryNames, readGallery } from '../../../src/saliency/networks/gallery.ts'
import { resolveDescription } from '../../../src/saliency/networks/resolve.ts'
import type { Tensors } from '../../../src/saliency/weights/tensors.ts'
import { blankWeights, publishedGraphs, publishedShapes, type PublishedGraph } from '../../support/publishedNetworks.ts'
import { tinyWithHeads } from '../../support/tinyNetwork.ts'

const gallery = await readGallery()

function entryOf(key: string) {
  const entry = gallery.find(({ name }) => name === key.split(' ')[0])
  if (entry === undefined) throw new Error(`no description for ${key}`)
  return entry
}

const published = [...Object.keys(publishedShapes), ...Object.keys(publishedGraphs)]

/** With the weights that it was recognised by, which heads may look into. */
function recognisedAs(
  key: string,
  given?: DescriptionOverride['batchNorm'],
): { network: PublishedGraph; weights: Tensors } {
  const weights = blankWeights(publishedShapes[key] ?? { none: [1] })
  return { network: publishedGraphs[key] ?? recogniseNetwork(weights, 'x.pth', given), weights }
}

test('each ready description has a network here to be tried on', async () => {
  const tried = new Set(published.map((key) => entryOf(key).name))
  expect(await galleryNames()).toEqual([...tried].toSorted())
})

// A description that leaves something to assume has not been thought through, or a head's name has changed.
test.each(published)('%s resolves, with nothing of it assumed', (key) => {
  const { name, override } = entryOf(key)
  const { network: recognised, weights } = recognisedAs(key, override.batchNorm)
  const { description, provenance, notes } = resolveDescription(recognised, override, 'x.pth', weights, name)
  const assumed = Object.keys(provenance).filter((path) => provenance[path] === 'default')
  expect({ assumed, notes: notes.filter((note) => note.includes('taken as')) }).toEqual({ assumed: [], notes: [] })
  expect(resolveDescription(recognised, description, 'x.pth', weights).description).toEqual(description)
})

test.each(published)('%s is proposed for its file, and no other before it', (key) => {
  const { name } = entryOf(key)
  const names = fitting(gallery, recognisedAs(key).network).map((entry) => entry.name)
  const twins = [
    // The same tensors: which of the two it is, nobody can tell. They are described alike, but for words.
    ['6drepnet360', 'yakhyo-resnet50'],
    // One file, which two projects show pictures of their own making.
    ['yakhyo-onnx', 'uniface'],
  ]
  expect(names).toEqual(twins.find((both) => both.includes(name)) ?? [name])
})

test('an entry that says what is assumed anyway is told from one that does not', () => {
  const assumed = (key: string, override = entryOf(key).override): boolean => {
    const weights = blankWeights(publishedShapes[key] ?? {})
    const recognised = recogniseNetwork(weights, 'x.pth')
    const { description } = resolveDescription(recognised, {}, 'x.pth', weights)
    return isAsAssumed({ override }, { recognised, description, file: 'x.pth', weights })
  }
  expect(assumed('hopenet')).toBe(true)
  // Resized to 256 before the crop.
  expect(assumed('6drepnet')).toBe(false)
  // Which epsilons an entry gives does not show in what was recognised without it.
  expect(assumed('yakhyo-mobilenetv2', {})).toBe(true)
  expect(assumed('yakhyo-mobilenetv2', { batchNorm: { epsilon: 0.001 } })).toBe(false)
  // Of other outputs than these weights have.
  expect(assumed('hopenet', entryOf('6drepnet').override)).toBe(false)
})

test('no two fit the same weights unless one says which comes first', () => {
  const silent = published.filter((key) => {
    const [first, ...more] = fitting(gallery, recognisedAs(key).network)
    return more.some(({ fits }) => fits.every(({ after }) => after !== first?.name))
  })
  expect(silent).toEqual([])
})

test('of two that fit the same weights the one comes second that says so', () => {
  const recognised = recogniseNetwork(blankWeights(publishedShapes['yakhyo-resnet34'] ?? {}), 'x.pth')
  const fits = [{ family: 'ResNet', outputs: { linear_reg: 6 } }]
  const entry = entryOf('hopenet')
  const two = [
    { ...entry, name: 'a', fits: fits.map((fit) => ({ ...fit, after: 'b' })) },
    { ...entry, name: 'b', fits },
  ]
  expect(fitting(two, recognised).map(({ name }) => name)).toEqual(['b', 'a'])
})

test('what cannot be told apart is described alike', () => {
  expect(entryOf('6drepnet360').override).toEqual(entryOf('yakhyo-resnet50').override)
})

test('a DenseNet of ImageNet is known, one with heads of its own is not', () => {
  const fits = (heads: Record<string, number[]>) =>
    fitting(gallery, recogniseNetwork(tinyWithHeads(heads), 'x.pth')).map(({ name }) => name)
  expect(fits({ classifier: [1000, 32] })).toEqual(['imagenet-classifier'])
  expect(fits({ fc_yaw: [61, 32], fc_pitch: [61, 32], fc_roll: [61, 32] })).toEqual([])
})

test('a description is for the input size that a file fixes, or for files that fix none', () => {
  const fits = (outputs: Record<string, number>, found: PublishedGraph['found']) => {
    const graph = publishedGraphs['intel-headpose']
    const layers = Object.entries(outputs).map(([output, count]) => ({ output, outputs: count, bias: false }))
    return graph && fitting(gallery, { ...graph, outputs: layers, ...(found && { found }) }).map(({ name }) => name)
  }
  const fixed = (width: number, height = width) => ({ width, height, isBytes: false })
  const free = { isBytes: false }
  expect(fits({ yaw_pitch_roll: 3 }, fixed(224))).toEqual(['6drepnet360-pinto'])
  expect(fits({ yaw_pitch_roll: 3 }, free)).toEqual(['6drepnet360-pinto'])
  // With it the file would be refused.
  expect(fits({ yaw_pitch_roll: 3 }, fixed(64))).toEqual([])
  expect(fits({ yaw_pitch_roll: 3 }, fixed(224, 64))).toEqual([])
  // Angles alone name no network: where the size does not, either, nothing is proposed.
  const angles = { yaw: 1, pitch: 1, roll: 1 }
  expect(fits(angles, fixed(60))).toEqual(['intel-headpose'])
  expect(fits(angles, free)).toEqual([])
  expect(fits(angles, fixed(224))).toEqual([])
})

test.each([
  [
    'about:\n  network: a network\n  source: https://x.example\n  asumed: []\n',
    '4:3: unknown key "about.asumed"; did you mean "assumed"?',
  ],
  ['fits:\n  - { familly: ResNet, outputs: { fc: 3 } }\n', '2:7: unknown key "fits.0.familly"; did you mean "family"?'],
  ['fits:\n  - { family: ResNet, outputs: { fc: 0 } }\n', /^x\.yaml:2:38: fits\.0\.outputs\.fc cannot be read: /],
])('what is wrong in what a file says of itself is said with its place', (text, said) => {
  const message: unknown = typeof said === 'string' ? `x.yaml:${said}` : expect.stringMatching(said)
  expect(() => parseDescriptionFile(text, 'x.yaml')).toThrow(
    expect.objectContaining({ code: 'bad-description', message }),
  )
})

test('docs/networks.md names every ready description, and README and pages no other', () => {
  const page = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
  const pages = [
    'README.md',
    'docs/networks.md',
    'config/one-machine.yaml',
    'config/nightly.yaml',
    'config/cluster.yaml',
  ]
  const taken = pages.flatMap((path) =>
    [...page(path).matchAll(/(?:--description |^description: )([a-z0-9-]+)/gm)].map(([, name = '']) => name),
  )
  const names = gallery.map(({ name }) => name)
  expect(taken.filter((name) => !names.includes(name))).toEqual([])
  const listed = page('docs/networks.md').replaceAll(/`-(resnet34|resnet50|mobilenetv2)`/g, '`yakhyo-$1`')
  expect(names.filter((name) => !listed.includes(`\`${name}\``))).toEqual([])
})
