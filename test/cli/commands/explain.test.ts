import { copyFile, mkdir, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { outputPaths } from '../../../src/cli/commands/explain/explainOutputs.ts'
import { settingsSchema } from '../../../src/cli/settings/optionSchema.ts'
import { decodeImage } from '../../../src/image/codec.ts'
import { cropToInput } from '../../../src/image/crop.ts'
import { grayToRgb } from '../../../src/image/gray.ts'
import { drawOverlay } from '../../../src/image/overlay.ts'
import { magnitudeOfMap } from '../../../src/report/mapMagnitude.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../../support/headlight.ts'
import { readNpy } from '../../support/npy.ts'
import { overflowing, patchedCheckpoint } from '../../support/patchedCheckpoint.ts'
import { grayCheckpoint } from '../../support/tinyNetwork.ts'
import { tinyOnnx } from '../../support/tinyOnnx.ts'

const image = join(imageFolder, 'BIWI00000001_-17_+1_+17.png')
const call = ['explain', image, '--network', networkFile]
const assumed = expect.stringMatching(/^[\d:]+ warning: tiny_hp\.pkl: assumed: yaw 61 bins[^\n]*\n$/) as string

describe('headlight explain', () => {
  it('keeps ONNX Runtime from reporting on its use: nothing of that is left in its folders', () =>
    inFolder(async (folder) => {
      const scratch = join(folder, 'scratch')
      await mkdir(scratch)
      const environment = { HOME: folder, TMPDIR: scratch }
      expect(await startHeadlight([...call, '--map', join(folder, 'map.png')], environment).ended).toMatchObject({
        code: 0,
      })
      expect(await readdir(scratch)).toEqual([])
      const left = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
      // And the network as it was compiled, for the next time.
      expect(left.map(({ name }) => name).sort()).toEqual([expect.stringMatching(/\.model$/), 'map.png'])
    }))

  it('says of a network that overflows for the image that it does, and of an impossible one why it is', () =>
    inFolder(async (folder) => {
      const [network, bright] = [join(folder, 'overflowing.safetensors'), join(folder, 'bright.png')]
      await writeFile(network, overflowing.bytes)
      await writeFile(`${network}.yaml`, JSON.stringify(overflowing.override))
      const white = sharp({ create: { width: 9, height: 9, channels: 3, background: '#ffffff' } })
      await white.toFile(bright)
      const asked = ['explain', bright, '--network', network, '--map', join(folder, 'map.png')]
      const saying = (text: string) => ({ code: 2, stdout: '', stderr: expect.stringContaining(text) as string })
      expect(await headlight(asked)).toMatchObject(
        saying(`${bright}: the network gives NaN or infinity for the yaw of this image`),
      )
      expect(await readdir(folder)).not.toContain('map.png')
      const variance = 'features.norm0.running_var'
      await writeFile(network, patchedCheckpoint('tiny_hp.safetensors', { [variance]: () => -2 }))
      expect(await headlight(asked)).toMatchObject(saying(`holds a variance of -2 in ${variance}`))
    }))

  it('writes map, gradient and overlay, and prints JSON of the agreed shape', () =>
    inFolder(async (folder) => {
      const [map, gradient, overlay] = ['map.png', 'gradient.npy', 'overlay.png'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ]
      const files = ['--map', map, '--gradient', gradient, '--overlay', overlay]
      const { code, stdout, stderr } = await headlight([...call, ...files, '--json'])
      // What is assumed of the network, once.
      expect({ code, stderr }).toEqual({ code: 0, stderr: assumed })
      expect(JSON.parse(stdout)).toEqual({
        image,
        network: {
          file: 'tiny_hp.pkl',
          digest: expect.stringMatching(/^[0-9a-f]{64}$/),
          description: expect.objectContaining({ heads: expect.any(Array) }),
        },
        angles: { yaw: expect.any(Number), pitch: expect.any(Number), roll: expect.any(Number) },
        label: { yaw: -17, pitch: 1, roll: 17 },
        adapter: { name: 'images', filenameAngles: ['yaw', 'pitch', 'roll'], applyExifOrientation: false },
        box: null,
        crop: [expect.any(Number), expect.any(Number), expect.any(Number), expect.any(Number)],
        objective: 'sum',
        scope: 'all',
        activations: [{ kind: 'relu', count: 21, guided: 21 }],
        map,
        gradient,
        overlay,
        engine: expect.stringMatching(/^onnxruntime/),
      })
      expect(await sharp(map).metadata()).toMatchObject({ format: 'png', width: 224, height: 224, channels: 3 })
      expect(await sharp(overlay).metadata()).toMatchObject({ width: 224, height: 224, channels: 3 })
      const npy = await readFile(gradient)
      expect(npy.subarray(0, 128).toString('latin1')).toMatch(/NUMPY.*'descr': '<f4'.*'shape': \(3, 224, 224\)/s)
      expect(npy.length).toBe(128 + 3 * 224 * 224 * 4)

      const values = new Float32Array(npy.buffer.slice(npy.byteOffset + 128, npy.byteOffset + npy.length))
      const cells = new Float32Array(28 * 28)
      for (let pixel = 0; pixel < 224 * 224; pixel++) {
        const cell = Math.floor(pixel / 224 / 8) * 28 + Math.floor((pixel % 224) / 8)
        const largest = Math.max(...[0, 1, 2].map((channel) => Math.abs(values[channel * 224 * 224 + pixel] ?? NaN)))
        cells[cell] = (cells[cell] ?? 0) + largest
      }
      const decoded = await decodeImage(await readFile(image), { maxPixels: 1e6, applyExifOrientation: false })
      const { pixels } = cropToInput(decoded, null, { width: 224, height: 224, resize: 'shorter-side' })
      const written = await sharp(overlay).raw().toBuffer()
      const difference = (picture: Uint8Array) =>
        picture.reduce((sum, value, i) => sum + Math.abs(value - (written[i] ?? NaN)), 0) / picture.length
      expect(difference(drawOverlay(pixels, cells, 224, 224))).toBeLessThan(0.01)
      // The report has only the stored picture to draw from.
      const stored = await decodeImage(await readFile(map), { maxPixels: 1e6, applyExifOrientation: false })
      expect(difference(drawOverlay(pixels, magnitudeOfMap(stored, 'origin'), 224, 224))).toBeLessThan(4)
      expect(difference(pixels)).toBeGreaterThan(10)
    }))

  it('shows a network that sees gray a gray picture, by the rules of its description', () =>
    inFolder(async (folder) => {
      const [network, map, gradient, overlay] = ['gray.safetensors', 'map.png', 'gradient.npy', 'overlay.png'].map(
        (name) => join(folder, name),
      ) as [string, string, string, string]
      await writeFile(network, grayCheckpoint())
      const rule = { width: 56, height: 56, resize: 'letterbox', filter: 'opencv' } as const
      await writeFile(`${network}.yaml`, JSON.stringify({ input: { ...rule, normalise: 'min-max' } }))
      const files = ['--map', map, '--gradient', gradient, '--overlay', overlay]
      const { code, stdout } = await headlight(['explain', image, '--network', network, ...files, '--json'])
      expect(code).toBe(0)
      const decoded = await decodeImage(await readFile(image), { maxPixels: 1e6, applyExifOrientation: false })
      const { pixels, crop } = cropToInput(decoded, null, { ...rule, channels: 'gray' })
      expect(JSON.parse(stdout)).toMatchObject({
        crop,
        network: { description: { input: { ...rule, channels: 'gray', normalise: 'min-max', mean: [0], std: [1] } } },
      })
      expect(await sharp(map).metadata()).toMatchObject({ width: 56, height: 56, channels: 3 })
      const { shape, data } = readNpy(gradient)
      expect(shape).toEqual([1, 56, 56])
      const cells = new Float32Array(28 * 28)
      for (const [index, value] of data.entries()) {
        const cell = Math.floor(index / 56 / 2) * 28 + Math.floor((index % 56) / 2)
        cells[cell] = (cells[cell] ?? 0) + Math.abs(value)
      }
      const written = await sharp(overlay).raw().toBuffer()
      const drawn = drawOverlay(grayToRgb(pixels), cells, 56, 56)
      expect(Math.max(...drawn.map((value, i) => Math.abs(value - (written[i] ?? NaN))))).toBeLessThanOrEqual(1)
    }))

  it('prints a table with the label and the error where the name tells a pose', async () => {
    const { stdout } = await headlight([...call, '--no-overlay'])
    expect(stdout).toMatch(
      /^degrees +estimate +label +error\nyaw +-?[\d.]+ +-17\.00 +-?[\d.]+\npitch .*\nroll .*\nlabel +from the file name, read as yaw,pitch,roll\nbox +none: the network sees the whole image [^\n]*\nactivations +21 ReLUs guided\n$/,
    )
    const turned = await headlight([...call, '--no-overlay', '--filename-angles', 'roll,yaw,pitch'])
    expect(turned.stdout).toMatch(/\nyaw +-?[\d.]+ +1\.00 /)
  })

  it('knows no label for other names, and lists what it wrote', () =>
    inFolder(async (folder) => {
      const plain = join(folder, 'face.png')
      const map = join(folder, 'map.png')
      await copyFile(image, plain)
      const { stdout } = await headlight([
        'explain',
        plain,
        '--network',
        networkFile,
        '--map',
        map,
        '--style',
        'magnitude',
      ])
      expect(stdout).toMatch(/^degrees +estimate\nyaw +-?[\d.]+\n/)
      expect(stdout).toContain(`map         ${map}\n`)
      expect(await sharp(map).metadata()).toMatchObject({ width: 224, height: 224, channels: 1 })
    }))

  it(
    'draws an overlay into the current folder when no file is named, but not for a script or who wants none',
    () =>
      inFolder(async (folder) => {
        const paths = (flags: Record<string, unknown>, json = false) =>
          outputPaths({ flags, settings: settingsSchema.parse({ json }) }, '/data/a.b.jpg')
        const none = { map: null, gradient: null, overlay: null }
        expect(paths({})).toEqual({ ...none, overlay: 'a.b-overlay.png' })
        const face = outputPaths({ flags: {}, settings: settingsSchema.parse({}) }, '/data/a.b.jpg', '#right%20one')
        expect(face.overlay).toBe('a.b#right%20one-overlay.png')
        expect(paths({}, true)).toEqual(none)
        expect(paths({ overlay: false })).toEqual(none)
        expect(paths({ map: 'm.png' })).toEqual({ ...none, map: 'm.png' })

        const drawn = 'BIWI00000001_-17_+1_+17-overlay.png'
        const { stdout } = await startHeadlight(call, {}, folder).ended
        expect(stdout).toContain(`overlay     ${drawn}\n`)
        expect(await readdir(folder)).toEqual([drawn])
      }),
    180_000,
  )

  it('turns an image by its EXIF orientation only when it is asked to', () =>
    inFolder(async (folder) => {
      const turned = join(folder, 'turned.png')
      // Stored lying on its side, with the note that says so.
      await sharp(image).rotate(270).withMetadata({ orientation: 6 }).png().toFile(turned)
      const angles = async (...args: string[]) => {
        const { stdout } = await headlight(['explain', ...args, '--network', networkFile, '--json'])
        return (JSON.parse(stdout) as { angles: unknown }).angles
      }
      const upright = await angles(image)
      expect(await angles(turned, '--exif-orientation')).toEqual(upright)
      expect(await angles(turned)).not.toEqual(upright)
    }))

  it('refuses a file that is too large for any image, unread', () =>
    inFolder(async (folder) => {
      const huge = join(folder, 'huge.png')
      await writeFile(huge, '')
      await truncate(huge, 3 * 2 ** 30)
      const { code, stderr } = await headlight(['explain', huge, '--network', networkFile])
      expect(code).toBe(2)
      expect(stderr).toContain(`${huge}: the file has ${3 * 2 ** 30} bytes`)
    }))

  it.each(['file://%zz', 'file://elsewhere/face.png'])('refuses the URI %s', async (uri) => {
    const { code, stdout } = await headlight(['explain', uri, '--network', networkFile, '--json'])
    expect({ code, json: JSON.parse(stdout) }).toMatchObject({
      code: 2,
      json: { error: { code: 'bad-uri', message: expect.stringContaining(`cannot open "${uri}"`) } },
    })
  })

  it('reads a file URI', async () => {
    const { stdout } = await headlight(['explain', pathToFileURL(image).href, '--network', networkFile, '--no-overlay'])
    expect(stdout).toMatch(/^degrees +estimate +label/)
  })

  it('overwrites neither its image nor its network nor another of its outputs', () =>
    inFolder(async (folder) => {
      const network = join(folder, 'tiny_hp.pkl')
      const face = join(folder, 'face.png')
      await copyFile(networkFile, network)
      await copyFile(image, face)
      await symlink(folder, join(folder, 'link'))
      const refusal = async (...files: string[]) => {
        const { code, stderr } = await headlight(['explain', pathToFileURL(face).href, '--network', network, ...files])
        expect(code).toBe(2)
        return stderr
      }
      const behind = (name: string) => join(folder, 'link', name)
      expect(await refusal('--map', face)).toContain(`--map ${face} would overwrite the image ${face}`)
      expect(await refusal('--overlay', behind('tiny_hp.pkl'))).toContain(`would overwrite the network file ${network}`)
      expect(await refusal('--map', join(folder, 'new.png'), '--overlay', behind('new.png'))).toContain(
        'would overwrite what --map writes; choose another file',
      )
      expect(await readFile(network)).toEqual(await readFile(networkFile))
      expect((await readdir(folder)).sort()).toEqual(['face.png', 'link', 'tiny_hp.pkl'])
    }))

  it.each([
    ['--overlay', 'x.png', '--no-overlay'],
    ['--no-overlay', '--overlay', 'x.png'],
  ])('refuses %s %s %s, which cannot both be meant', async (...flags) => {
    expect(await headlight(['explain', image, '--network', networkFile, ...flags])).toMatchObject({
      code: 2,
      stderr: 'headlight: --overlay and --no-overlay contradict each other; give one of them\n',
    })
  })

  it('names no file like another kind than what it writes', () =>
    inFolder(async (folder) => {
      for (const [flag, name, kind] of [
        ['--map', 'map.jpg', 'a PNG image'],
        ['--overlay', 'overlay.webp', 'a PNG image'],
        ['--gradient', 'gradient.png', 'a NumPy array'],
      ] as const) {
        const path = join(folder, name)
        const { code, stderr } = await headlight([...call, flag, path])
        expect([code, stderr]).toEqual([
          2,
          expect.stringMatching(
            new RegExp(`^headlight: ${flag} writes ${kind}, but .*${name} ends in \\.\\w+; name it`),
          ),
        ])
      }
      expect(await readdir(folder)).toEqual([])
      expect(await headlight([...call, '--map', join(folder, 'MAP.PNG')])).toMatchObject({ code: 0 })
      expect(await headlight([...call, '--map', join(folder, 'map')])).toMatchObject({ code: 0 })
      const sheet = await headlight(['dataset', 'check', imageFolder, '--sheet', join(folder, 'sheet.jpg')])
      expect(sheet).toMatchObject({ code: 2, stderr: expect.stringContaining('--sheet writes a PNG image') })
    }))

  it('offers in its help only what it takes', async () => {
    const { stdout } = await headlight(['explain', '--help'])
    const text = stdout.replace(/\s+/g, ' ')
    expect(text).toContain('--objective <NAMES> What is differentiated, one of: sum,')
    expect(text).not.toMatch(/\beach \(the three|failed record/)
    expect(await headlight([...call, '--objective', 'each'])).toMatchObject({ code: 2 })
  })

  it('says when it cannot write', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'none', 'map.png')
      expect(await headlight([...call, '--map', path])).toMatchObject({
        code: 2,
        stderr: `headlight: --map ${path} cannot be written: its folder does not exist\n`,
      })
    }))
})

it('shows what a network is taken for, marking what is assumed', async () => {
  const { code, stdout } = await headlight(['network', 'inspect', networkFile])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ {2}bins +61, from −90° to 90°/m)
  expect(stdout).toMatch(/^ {2}step +3° per bin {2}\(default\)$/m)
  await inFolder(async (folder) => {
    const network = join(folder, 'net.pkl')
    await copyFile(networkFile, network)
    await writeFile(`${network}.yaml`, 'input:\n  resize: stretch\n')
    const json = await headlight(['network', 'inspect', network, '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({
      overrideFile: `${network}.yaml`,
      description: { input: { resize: 'stretch', width: 224 } },
      provenance: { 'input.resize': 'given', 'input.width': 'default', 'heads.0.bins': 'found in the weights' },
    })
  })
})

describe('headlight explain of a plain output', () => {
  const explained = async (folder: string, outputs: Readonly<Record<string, number>>, ...more: string[]) => {
    const network = join(folder, 'x.onnx')
    await writeFile(network, tinyOnnx({ outputs }).bytes)
    const run = await headlight(['explain', image, '--network', network, '--no-overlay', ...more])
    expect(run).toMatchObject({ code: 0 })
    return run.stdout
  }

  it('prints its number in place of classes, whatever the sign', () =>
    inFolder(async (folder) => {
      const points = { landmarks: 10 }
      const text = await explained(folder, points, '--objective', 'output:3')
      const [, number = ''] = /^output:3 {4}(-?\d+\.\d+)\nbox /.exec(text) ?? []
      const json = JSON.parse(await explained(folder, points, '--objective', 'output:3', '--json')) as object
      expect(json).toMatchObject({ output: { name: 'landmarks', index: 3, value: expect.any(Number) as number } })
      // The same number as that of the class by its place, which the network itself gives.
      const byClass = JSON.parse(await explained(folder, points, '--objective', 'class:3', '--json')) as object
      const { logit } = (byClass as { classes: { explained: { logit: number } } }).classes.explained
      expect((json as { output: { value: number } }).output.value).toBe(logit)
      expect(Number(number)).toBeCloseTo(logit, 4)
      expect(byClass).not.toHaveProperty('output')
      const negative = await explained(folder, points, '--objective=-output:3')
      expect(negative).toBe(text)
    }))

  it('prints it below the angles, also where no head reads the output', () =>
    inFolder(async (folder) => {
      const outputs = { yaw: 1, pitch: 1, roll: 1, 'eye/left': 2 }
      const text = await explained(folder, outputs, '--objective', 'output:eye/left:1')
      expect(text).toMatch(/\nroll +\S+ +\S+ +\S+\noutput:eye_left:1 -?\d\S*\nlabel /)
      const json = await explained(folder, outputs, '--objective', 'output:eye_left:1', '--json')
      expect(JSON.parse(json)).toMatchObject({ output: { name: 'eye/left', index: 1 } })
    }))

  it('gives no probability to the only number of an output', () =>
    inFolder(async (folder) => {
      const table = await explained(folder, { age: 1 }, '--objective', 'class:top')
      expect(table).toMatch(/^ +class +probability +logit\nclass:top +0 +– +-?\d+\.\d\d\nbox /)
      expect(await explained(folder, { age: 1 }, '--objective', 'output:0')).toMatch(/^output:0 {4}-?\d+\.\d+\nbox /)
    }))
})
