import { InputError } from '../../../base/errors.ts'
import type { CommandSpec } from '../../command.ts'
import { readingSettings } from '../../settings/commandFlags.ts'
import { BoxOption } from './boxOption.ts'

export const explainCommand: CommandSpec = {
  name: 'explain',
  summary: 'explain one image: its angles and its map',
  settings: [
    'network',
    'description',
    'objective',
    'scope',
    'relu6',
    'style',
    'engine',
    'enginesFolder',
    'dataset',
    ...readingSettings.filter((name) => name !== 'box'),
    's3Endpoint',
  ],
  wording: {
    network: { isNeeded: true },
    dataset: {
      description:
        'The dataset that the image belongs to, where the adapter needs more of it than what lies beside the image, or the image is named by its key. Only ever read.',
    },
    filenameAngles: {
      description:
        'What the three numbers of a file name like BIWI00009409_-17_+1_+17.png mean, in order. They are shown as the label, beside the estimate.',
    },
    objective: {
      description:
        'What is differentiated, one of: sum, yaw, pitch, roll, yaw:top, yaw:bin:N, class:N, class:top, class:label, output:N, output:NAME:N; a minus before any of them takes its negative (--objective=-yaw).',
    },
    maxPixels: { description: 'A larger image is refused before it is decoded.' },
  },
  extend: (command) =>
    command
      .addOption(new BoxOption().helpGroup('Data:'))
      .argument('<image>', 'a file, s3://bucket/key, or a key of --dataset; a name that spells a pose gives the label')
      .optionsGroup('What is written:')
      .option('--map <OUT.png>', 'write the map, in the style of --style')
      .option(
        '--gradient <OUT.npy>',
        'write the raw gradient: float32, 3 × height × width, the objective (degrees; a logit for :top, :bin and class) per unit of the normalised input',
      )
      .option(
        '--overlay <OUT.png>',
        "write the gradient's magnitude, averaged over 28 × 28 cells, as colours over the crop that the network saw (default: NAME-overlay.png in the current folder, unless --map, --gradient or --json is given)",
        eitherOverlay,
      )
      .option('--no-overlay', 'write no picture that is not asked for', eitherOverlay)
      .optionsGroup('Options:'),
  examples: [
    [
      'headlight explain face.png --network model.pkl',
      'angles, and where in the image the network reacts: face-overlay.png',
    ],
    ['headlight explain face.png --network model.pkl --no-overlay', 'the angles alone'],
    [
      'headlight explain image00013.jpg --dataset ./AFLW2000 --adapter aflw2000 --network model.pkl',
      'a row of a run’s table: the same part of the image, and so the same angles and map',
    ],
    ['headlight explain photo.jpg --box 120,80,360,320 --network model.pkl', 'one head of a larger picture'],
    [
      'headlight explain s3://heads/in/face.png --network model.pkl --objective=-yaw --map map.png --json',
      'the map of the negative yaw, as JSON for a script',
    ],
  ],
  computesItself: true,
  perform: async (call) => {
    const { explainImage } = await import('./performExplain.ts')
    return explainImage(call)
  },
}

/** Commander keeps both under one name, where the last would win: a picture that somebody wants not, or one that is missing. */
function eitherOverlay(path: string | undefined, before: unknown): string | false {
  if (before !== undefined && (path === undefined) !== (before === false)) {
    throw new InputError('bad-option', '--overlay and --no-overlay contradict each other; give one of them')
  }
  return path ?? false
}
