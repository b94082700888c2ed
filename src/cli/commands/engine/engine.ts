import type { CommandSpec } from '../../command.ts'

export const engineCommands: readonly CommandSpec[] = [
  {
    name: 'engine list',
    summary: 'try every engine and say which can be used here, on what, and what mends the others',
    settings: ['enginesFolder'],
    examples: [['headlight engine list', 'takes a few seconds per engine, each tried in a process of its own']],
    perform: async (call) => {
      const { listEngines } = await import('./performEngine.ts')
      return listEngines(call)
    },
  },
  {
    name: 'engine install',
    summary: "install an engine into headlight's own folder: tfjs or cuda",
    settings: ['enginesFolder'],
    extend: (command) =>
      command
        .argument('<engine>', 'tfjs (TensorFlow.js on libtensorflow) or cuda (ONNX Runtime on NVIDIA GPUs)')
        .option(
          '--tensorflow <PATH>',
          'tfjs: use this TensorFlow: a wheel, its folder, a virtual environment or its Python (default: that of python3, else a download through pip)',
        )
        .option('--cuda', 'tfjs: download the TensorFlow that can use an NVIDIA GPU'),
    examples: [
      ['headlight engine install tfjs', "builds TensorFlow.js' addon; needs g++, python3 with pip, npm"],
      ['headlight engine install tfjs --tensorflow ~/venv', 'against the TensorFlow of an environment that there is'],
      ['headlight engine install cuda', "ONNX Runtime's CUDA provider, and a look for the libraries that it needs"],
    ],
    perform: async (call) => {
      const { installEngine } = await import('./performEngine.ts')
      return installEngine(call)
    },
  },
  {
    name: 'engine remove',
    summary: 'undo an installation: tfjs or cuda',
    settings: ['enginesFolder'],
    extend: (command) => command.argument('<engine>', 'tfjs or cuda'),
    examples: [['headlight engine remove tfjs', 'removes everything that its installation wrote']],
    perform: async (call) => {
      const { removeEngine } = await import('./performEngine.ts')
      return removeEngine(call)
    },
  },
]
