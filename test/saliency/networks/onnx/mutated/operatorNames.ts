/** Every operator of ONNX that could come in the way, and names that are none. */
export const operators = words(
  'Abs Acos Add And ArgMax ArgMin AveragePool BatchNormalization BitShift Cast CastLike Ceil Celu Clip Concat ' +
    'Constant ConstantOfShape Conv ConvInteger ConvTranspose CumSum DeformConv DepthToSpace DequantizeLinear Det ' +
    'Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements ' +
    'GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GridSample GroupNormalization ' +
    'HardSigmoid HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization ' +
    'LeakyRelu Less Log LogSoftmax Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool ' +
    'MaxUnpool Mean MeanVarianceNormalization Min Mish Mod Mul Multinomial Neg NonMaxSuppression NonZero Not OneHot ' +
    'Optional Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RNN RandomNormal Range Reciprocal ReduceL1 ' +
    'ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu ' +
    'Reshape Resize ReverseSequence RoiAlign Round Scan Scatter ScatterElements ScatterND Selu SequenceAt ' +
    'SequenceConstruct Shape Shrink Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split ' +
    'SplitToSequence Sqrt Squeeze StringNormalizer Sub Sum Swish Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu ' +
    'Unique Unsqueeze Upsample Where Xor constructor __proto__ toString',
)

/** Those that keep what they take, near enough, so that the rest of a graph often still fits. */
export const likely = words(
  'Relu LeakyRelu Elu Sigmoid Tanh HardSigmoid HardSwish Clip Abs Neg Exp Sqrt Softmax LogSoftmax LRN Identity ' +
    'Dropout Softplus Selu Gelu Erf Floor Transpose MaxPool AveragePool GlobalAveragePool GlobalMaxPool ReduceMean ' +
    'ReduceMax ReduceSum Flatten InstanceNormalization LpNormalization Max Min Sum Mean Mul Add Sub Div Pow MatMul ' +
    'Concat',
)

function words(text: string): readonly [string, ...string[]] {
  const [first = '', ...more] = text.split(' ')
  return [first, ...more]
}
