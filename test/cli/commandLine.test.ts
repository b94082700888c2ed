import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { settingNames } from '../../src/cli/settings/optionSchema.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../support/headlight.ts'

const run = ['run', '--dataset', imageFolder, '--network', networkFile]

/** One sentence on standard error, nothing on standard output, exit code 2. */
async function refusal(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<string> {
  const { code, stdout, stderr } = await headlight(args, environment)
  expect(stderr).toMatch(/^headlight: [^\n]+\n$/)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  return stderr.slice('headlight: '.length).trimEnd()
}

describe('the built command', () => {
  it('tells its version, and its exit code is that of the call', async () => {
    const version = await startHeadlight(['--version']).ended
    expect(version).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' })
    const wrong = await startHeadlight(['rnu', '--json']).ended
    expect(wrong).toMatchObject({ code: 2, stderr: "headlight: unknown command 'rnu'; did you mean run?\n" })
    expect(JSON.parse(wrong.stdout)).toMatchObject({ error: { code: 'bad-option' } })
  })
})

const commands = [
  'run',
  'explain',
  'produce',
  'worker',
  'producer',
  'schedule add',
  'schedule list',
  'schedule run',
  'schedule pause',
  'schedule resume',
  'schedule remove',
  'status',
  'pause',
  'resume',
  'cancel',
  'retry',
  'network inspect',
  'report',
  'doctor',
]

describe('help', () => {
  it('lists every command', async () => {
    const { code, stdout, stderr } = await headlight(['--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const name of commands) expect(stdout).toMatch(new RegExp(`^  ${name.split(' ')[0]}\\b`, 'm'))
  })

  it.each(commands)('of %s has an example that begins with the command itself', async (name) => {
    const { code, stdout, stderr } = await headlight([...name.split(' '), '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^Examples:\\n  # .+\\n  \\$ (?:HEADLIGHT_\\S+ )?headlight ${name} ?`, 'm'))
  })
})

describe('help about options', () => {
  it('stands in groups, what is needed first, the way out of a config file hidden', async () => {
    const { stdout } = await headlight(['run', '--help'])
    expect(stdout.match(/^[A-Z][^\n]*:$/gm)).toEqual([
      'Needed:',
      'Data:',
      'What is explained:',
      'Computing:',
      'Queue:',
      'Folders:',
      'Messages:',
      'Options:',
      'Examples:',
    ])
    expect(stdout).not.toContain('--no-logits')
  })

  it.each(commands)('of %s names options as they are typed, and units beside their numbers', async (name) => {
    const text = (await headlight([...name.split(' '), '--help'])).stdout.replace(/\s+/g, ' ')
    for (const setting of settingNames.filter((key) => /[A-Z]/.test(key))) expect(text).not.toContain(setting)
    expect(text).not.toMatch(/\((?:pixels|images|seconds|box sides|requests|child processes|TCP port)[;)]/)
  })
})

describe('a wrong call', () => {
  it('is answered with the right spelling', async () => {
    expect(await refusal(['rnu'])).toBe("unknown command 'rnu'; did you mean run?")
    expect(await refusal(['network', 'inspct', 'x'])).toBe("unknown command 'inspct'; did you mean inspect?")
    expect(await refusal([...run, '--objectiv', 'yaw'])).toBe("unknown option '--objectiv'; did you mean --objective?")
    expect(await refusal([...run, '--scope=stm'])).toContain('did you mean stem?')
    expect(await refusal([...run, '--obj', 'yaw'])).toBe("unknown option '--obj'; did you mean --objective?")
    expect(await refusal([...run, '--endpoint', 'x'])).toContain('did you mean --s3-endpoint or --output-s3-endpoint?')
    expect(await refusal(['run', '-dataset', 'x'])).toBe("unknown option '-dataset'; did you mean --dataset?")
    expect(await refusal([...run, '--zzz'])).toBe("unknown option '--zzz'; --help shows what there is")
    // Before it is told what it lacks.
    expect(await refusal(['schedule', 'add', 'x', '--nonsense'])).toContain("unknown option '--nonsense'; ")
  })

  it('is told which commands have the option that it lacks', async () => {
    expect(await refusal(['produce', '--engine', 'tfjs'])).toBe(
      "unknown option '--engine'; it is an option of run, explain, worker, retry, network inspect, dataset check",
    )
  })

  it('that wants an engine which is not installed is refused before anything else is looked at', async () => {
    const nowhere = ['--engine', 'tfjs', '--engines-folder', '/nonexistent']
    const call = ['--dataset', '/nonexistent', '--output', '/nonexistent', '--network', '/nonexistent', ...nowhere]
    const said = 'the engine tfjs:tensorflow is not installed: headlight engine install tfjs'
    expect(await refusal(['run', ...call])).toBe(said)
    expect(await refusal(['retry', 'latest', '--output', '/nonexistent', ...nowhere])).toBe(said)
    expect(await refusal(['worker', '--redis', 'redis://127.0.0.1:1', '--log-format=text', ...nowhere])).toBe(said)
    expect(await refusal(['explain', 'x.png', '--network', '/nonexistent', ...nowhere])).toBe(said)
    expect(await refusal(['dataset', 'check', 'x', '--network', '/nonexistent', ...nowhere])).toBe(said)
  })

  it('is helped, however help is asked for', async () => {
    const [asked, flagged] = [await headlight(['help', 'run']), await headlight(['run', '--help'])]
    expect(asked).toEqual(flagged)
    expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage: headlight run') })
    expect((await headlight(['help'])).stdout).toContain('Commands:')
    expect((await headlight(['help', 'network', 'inspect'])).stdout).toContain('headlight network inspect')
    expect(await refusal(['help', 'rnu'])).toBe("unknown command 'rnu'; did you mean run?")
    expect(await refusal(['help', 'network', 'x'])).toBe("unknown command 'x'; --help shows what there is")
  })

  it('is told in its help what Redis is needed for', async () => {
    const said = async (command: string) =>
      /--redis <URL> .*?\(([^()]*)\) [A-Z]\w+: --/.exec(
        (await headlight([command, '--help'])).stdout.replace(/\s+/g, ' '),
      )?.[1]
    for (const command of ['worker', 'produce', 'producer']) {
      const { stdout } = await headlight([command, '--help'])
      expect(stdout).toMatch(/^Needed:\n(?: +\S.*\n)* {2}--redis/m)
    }
    expect(await said('doctor')).toBe('default: none is looked at')
    expect(await said('run')).toContain('start a private server')
  })

  it('is told what is missing or too much', async () => {
    expect(await refusal(['run'])).toBe('run needs --dataset URI')
    expect(await refusal(['worker', '--log-format=text'])).toBe('worker needs --redis URL')
    expect(await refusal(['explain', 'x.png'])).toBe('explain needs --network FILE')
    expect(await refusal(['explain'])).toContain('<image> must be given')
    expect(await refusal(['schedule', 'add', 'x', '--tz', 'UTC'])).toBe('schedule add needs --cron LINE')
    expect(await refusal(['schedule', 'add', 'x', '--cron', '0 2 * * *'])).toBe('schedule add needs --tz ZONE')
    expect(await refusal(['run', 'images'])).toContain("too many arguments for 'run': it takes 0, but 1 are given")
    expect(await refusal(['run', '--dataset', '--output', 'x'])).toBe(
      '--dataset needs a value, but --output follows it',
    )
    expect(await refusal(['run', '--dataset'])).toContain('--dataset needs a value, URI')
    expect(await refusal(['status'])).toContain('--output URI, --redis URL or both')
  })

  it('without a command shows the list of them on standard error', async () => {
    const { code, stdout, stderr } = await headlight([])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/Commands:[^]*\nheadlight: a command is missing; --help shows what there is\n$/)
  })

  it('is answered in JSON, too, when JSON was asked for', async () => {
    const { code, stdout, stderr } = await headlight(['run', '--json', '--scope', 'al'])
    expect({ code, stderr: stderr.split('\n').length }).toEqual({ code: 2, stderr: 2 })
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'bad-option', message: expect.stringContaining('--scope') } })
    expect(JSON.parse((await headlight(['rnu', '--json'])).stdout)).toMatchObject({ error: { code: 'bad-option' } })
  })
})

describe('input that cannot work', () => {
  it('is named before anything is written', () =>
    inFolder(async (folder) => {
      const output = join(folder, 'out')
      const empty = join(folder, 'empty')
      await mkdir(empty)
      const to = ['--output', output]
      const data = (uri: string) => ['run', '--dataset', uri, '--network', networkFile, ...to]

      expect(await refusal(data(join(folder, 'none')))).toContain('there is no such folder')
      expect(await refusal(data(empty))).toContain('holds no image that the adapter images reads')
      expect(await refusal([...data(empty), '--glob', '*.jpg'])).toContain("--glob '*.jpg' matches")
      expect(await refusal(data('ftp://host/x'))).toContain('cannot open "ftp://host/x"')
      expect(await refusal([...run, ...to, '--network', join(folder, 'none.pkl')])).toContain('none.pkl does not exist')
      expect(await refusal([...run, ...to, '--network', join(imageFolder, 'BIWI00000003_+5_+21_-40.png')])).toContain(
        'is no network',
      )
      expect(await refusal([...run, ...to, '--objective', 'yaw,jaw'])).toContain('objective "jaw" is unknown')
      expect(await refusal([...run, ...to, '--objective=-yaw', '--objective=yaw:bin:61'])).toContain(
        'it has only 61 bins (0 to 60)',
      )
      expect(await refusal([...run, ...to, '--objective', 'class:1'])).toContain('no output of classes')
      expect(await refusal([...run, ...to, '--redis', 'redis://127.0.0.1:1'])).toContain('nothing listens there')
      expect(await refusal([...run, ...to, '--redis', 'http://127.0.0.1'])).toContain('the Redis URL')
      expect(await readdir(folder)).toEqual(['empty'])
    }))

  it('includes an output inside the dataset, and a dataset inside the output', () =>
    inFolder(async (folder) => {
      const dataset = join(folder, 'images')
      await mkdir(dataset)
      await writeFile(join(dataset, 'a.png'), 'not read')
      const call = ['run', '--dataset', dataset, '--network', networkFile]
      expect(await refusal([...call, '--output', join(dataset, 'maps')])).toContain('lies inside the dataset')
      expect(await refusal([...call, '--output', folder])).toContain('contains the dataset')
      expect(await readdir(dataset)).toEqual(['a.png'])
    }))

  it('includes GPUs that are not there, or that the engine does not take', () =>
    inFolder(async (folder) => {
      const none = { PATH: folder, CUDA_VISIBLE_DEVICES: '' }
      for (const command of [run, ['retry', 'latest']]) {
        const call = [...command, '--output', join(folder, 'out'), '--gpus', '0']
        expect(await refusal(call, none)).toContain('--gpus 0 cannot be had: ')
        expect(await refusal([...call, '--engine', 'onnxruntime'], none)).toContain('it computes on the CPU')
      }
      expect(await readdir(folder)).toEqual([])
    }))

  it('includes a config file that is missing, or has a misspelt key', () =>
    inFolder(async (folder) => {
      const config = join(folder, 'my.yaml')
      expect(await refusal(['run', '--config', config])).toBe(`the config file ${config} does not exist`)
      await writeFile(config, 'dataset: x\nouput: y\n')
      expect(await refusal(['run'], { HEADLIGHT_CONFIG: config })).toBe(
        `${config}:2:1: unknown option "ouput"; did you mean "output"?`,
      )
    }))

  it('includes a description beside the network that contradicts it', () =>
    inFolder(async (folder) => {
      const network = join(folder, 'net.pkl')
      await copyFile(networkFile, network)
      await writeFile(`${network}.yaml`, 'input:\n  widht: 200\n')
      expect(await refusal(['network', 'inspect', network])).toContain('net.pkl.yaml:2:3: unknown key "input.widht"')
    }))

  it('includes an image that explain cannot read', () =>
    inFolder(async (folder) => {
      const call = ['--network', networkFile]
      expect(await refusal(['explain', join(folder, 'none.png'), ...call])).toContain('none.png does not exist')
      const text = join(folder, 'text.png')
      await writeFile(text, 'just text')
      expect(await refusal(['explain', text, ...call])).toMatch(/^.*text\.png: /)
      expect(await refusal(['explain', 's3://bucket/', ...call])).toContain('names a folder')
      expect(await refusal(['explain', text, ...call, '--map', text])).toContain(
        `--map ${text} would overwrite the image ${text}`,
      )
      expect(await refusal(['explain', text, ...call, '--objective', 'each'])).toContain('one objective at a time')
    }))

  it('includes Redis that nobody serves, for every command that needs one', async () => {
    const redis = ['--redis', 'redis://127.0.0.1:1']
    for (const command of [['worker', '--log-format=text'], ['producer', '--log-format', 'text'], ['status']]) {
      expect(await refusal([...command, ...redis])).toContain('nothing listens there')
    }
    // Where its log is JSON, everything is.
    for (const command of ['worker', 'producer']) {
      const { code, stderr } = await headlight([command, ...redis])
      expect({ code, line: JSON.parse(stderr) }).toMatchObject({
        code: 2,
        line: { level: 'fatal', code: 'no-redis', msg: expect.stringContaining('nothing listens there') },
      })
    }
    expect(await refusal(['produce', ...run.slice(1), '--output', '/tmp/none', ...redis])).toContain('nothing listens')
  })

  it('includes a machine without a Redis server, when none is given', () =>
    inFolder(async (folder) => {
      const call = [...run, '--output', join(folder, 'out'), '--state-folder', join(folder, 'state')]
      expect(await refusal(call, { PATH: '/nonexistent' })).toMatch(/redis-server.*--redis URL/)
      expect(await readdir(folder)).not.toContain('out')
    }))

  it('includes outputs and runs that are not there', () =>
    inFolder(async (folder) => {
      expect(await refusal(['status', '--output', join(folder, 'none')])).toContain('there is no such folder')
      expect(await refusal(['status', '20260101T000000Z-abcdef', '--output', folder])).toContain('holds no run')
      expect(await refusal(['report', folder])).toContain(`${folder}/ holds no result set`)
      expect(await refusal(['status', '--output', folder])).toBe(
        `${folder}/ holds no result set; headlight run makes one`,
      )
    }))
})

it('keeps a password out of what it says', async () => {
  const { stderr, stdout } = await headlight(['worker', '--json', '--redis', 'redis://me:hunter2@127.0.0.1:1'])
  expect(stderr + stdout).toContain('127.0.0.1:1')
  expect(stderr + stdout).not.toContain('hunter2')
})
