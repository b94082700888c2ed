/** What to do about an operator that headlight does not compute, as the end of a sentence; undefined where there is no more to say. */
export function adviceOn(operator: string): string | undefined {
  return advices.find(([telling]) => telling.test(operator))?.[1]
}

const advices: readonly (readonly [telling: RegExp, advice: string])[] = [
  [
    /(?:^|\.)(?:QLinear|QGemm|QAttention|Quantize|Dequantize|DynamicQuantize|ConvInteger|MatMulInteger|MatMulNBits)/,
    'a quantised network has no gradient, so export the one that it was made of',
  ],
  [
    /^(?:If|Loop|Scan|SequenceMap)$/,
    'headlight computes no loops, and no branches that depend on the picture, so export the network without them',
  ],
  [/^(?:Sequence|SplitToSequence|ConcatFromSequence|Optional)/, 'headlight computes no sequences'],
  [
    /^com\.microsoft\.nchwc\./,
    'the file was optimised for one kind of processor, so take the one that it was made of, or save it at the level basic or extended',
  ],
  [
    /^pkg\.|^onnxscript\.|^aten\.|^org\.pytorch/,
    'it is a function of the exporter, so export again with torch.onnx.export(…, dynamo=True, optimize=True), or inline it with onnx.inliner.inline_local_functions',
  ],
  [
    /(?:^|\.)(?:Gelu|Erf|BiasGelu|FastGelu|Attention|MultiHeadAttention|SkipLayerNormalization)$/,
    'transformers and ConvNeXts are made of it, which have no ReLU that could be guided',
  ],
  [/\./, 'it is no operator of ONNX itself'],
]
