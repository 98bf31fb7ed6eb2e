// Lists the polynomials of stream v1, lowest degree first. tools/coefficients.py derived and wrote them.
// They are frozen.
#pragma once

#include "core/polynomial.hpp"

namespace fanin::FANIN_ISA::table {

// Relative error of the fit 2^-24.97.
FANIN_POLYNOMIAL(log_f32, float, -0x1p+1f, 0x1.fffffap-1f, -0x1.5556f4p-1f, 0x1.0004bp-1f, -0x1.98d2b4p-2f,
                 0x1.535a1p-2f, -0x1.3182acp-2f, 0x1.25166ep-2f, -0x1.65fcfcp-3f)

// Relative error of the fit 2^-27.9.
FANIN_POLYNOMIAL(sin_f32, float, -0x1.555546p-3f, 0x1.11077ap-7f, -0x1.9954e8p-13f)

// Relative error of the fit 2^-32.99.
FANIN_POLYNOMIAL(cos_f32, float, 0x1p+0f, -0x1p-1f, 0x1.55554ap-5f, -0x1.6c0c2ap-10f, 0x1.99e914p-16f)

// Relative error of the fit 2^-59.13.
FANIN_POLYNOMIAL(log_f64, double, -0x1p+1, 0x1p+0, -0x1.555555555556ep-1, 0x1.ffffffffffe9ap-2, -0x1.999999999472ap-2,
                 0x1.55555555692bcp-2, -0x1.2492492784aecp-2, 0x1.fffffff52c5d2p-3, -0x1.c71c701fc364bp-3,
                 0x1.99999a519faafp-3, -0x1.745d5a343caabp-3, 0x1.55557febc784fp-3, -0x1.3b0d6800bd55dp-3,
                 0x1.2488a9b02114fp-3, -0x1.116a209b441efp-3, 0x1.00d6199c0c502p-3, -0x1.dca39710a52dep-4,
                 0x1.b41b904c552eep-4, -0x1.bb2e54f2f5838p-4, 0x1.013881ee8433ap-3, -0x1.d449ff192a551p-4,
                 0x1.8fe76595c3e0fp-5)

// Relative error of the fit 2^-57.88.
FANIN_POLYNOMIAL(sin_f64, double, -0x1.5555555555548p-3, 0x1.111111110f75ep-7, -0x1.a01a019bf263ap-13,
                 0x1.71de355f56a4cp-19, -0x1.ae5e54c2bdaafp-26, 0x1.5d8e50d6e1074p-33)

// Relative error of the fit 2^-63.93.
FANIN_POLYNOMIAL(cos_f64, double, 0x1p+0, -0x1p-1, 0x1.555555555554bp-5, -0x1.6c16c16c1501ap-10, 0x1.a01a019c8fdfbp-16,
                 -0x1.27e4f7f22ed8ap-22, 0x1.1ee9dc4215e2dp-29, -0x1.8fa6c21e98a24p-37)

// Relative error of the fit 2^-63.77.
FANIN_POLYNOMIAL(exp_f64, double, 0x1p+0, 0x1p+0, 0x1p-1, 0x1.555555555555bp-3, 0x1.555555555553ap-5,
                 0x1.111111110edbbp-7, 0x1.6c16c16c22d81p-10, 0x1.a01a01b30e5c9p-13, 0x1.a01a0166d9516p-16,
                 0x1.71ddf11051cedp-19, 0x1.27e562c75731dp-22, 0x1.af6a78eb09e25p-26, 0x1.1ea5e91ce1af1p-29)

// Relative error of the fit 2^-55.5.
FANIN_POLYNOMIAL(mills_f64, double, 0x1.28273b50efa76p+0, -0x1.d5fd8ffd0f1a5p-3, 0x1.3e97eaf5f2ebdp-4,
                 0x1.9ac85788f54bbp-6, -0x1.0f103e712d6dcp-4, 0x1.f7d96e0d8524ap-5, -0x1.37838b3a4b64bp-5,
                 0x1.0bd973ad0bf08p-6, -0x1.1355f4868e511p-8, 0x1.47ab68663b806p-16, 0x1.df3ec86d174cfp-12,
                 -0x1.19cd9cbcec93p-13, -0x1.a02bc13a118b1p-16, 0x1.7d00544146d33p-16, -0x1.7b24e277393f8p-23,
                 -0x1.b7d3c431ac86dp-19, 0x1.5876bdbae12d6p-22, 0x1.07ede16e40f53p-21, -0x1.1bd6c03b5885ep-24,
                 -0x1.4bf73aa28805ep-24, 0x1.3b443ad93f3ap-27, 0x1.76c902f1323a7p-27, -0x1.8d370f9053683p-31,
                 -0x1.00ab8387da8dfp-30)

// Relative error of the fit 2^-25.49.
FANIN_POLYNOMIAL(quantile_central_f32, float, 0x1.1ae528p+1f, 0x1.61d3f8p-3f, -0x1.d2c2fap-10f, -0x1.81082ep-13f,
                 0x1.365bap-16f, -0x1.c195c2p-22f, -0x1.f8b92ep-25f, 0x1.6a553ep-28f, 0x1.62ec56p-35f, -0x1.66436p-36f)

// Relative error of the fit 2^-24.54.
FANIN_POLYNOMIAL(quantile_far_f32, float, 0x1.43f134p+2f, 0x1.86617cp-4f, -0x1.b74312p-11f, 0x1.e381bep-17f,
                 -0x1.44654ap-22f, 0x1.da06eap-28f, -0x1.7831d2p-33f, 0x1.4773aap-39f, 0x1.15687ap-43f, -0x1.7329fp-52f,
                 -0x1.efdc1ep-53f, -0x1.358914p-56f, 0x1.fdbea6p-61f)

// Relative error of the fit 2^-53.54.
FANIN_POLYNOMIAL(quantile_central_f64, double, 0x1.1ae527bead168p+1, 0x1.61d3f8764df4ep-3, -0x1.d2be69bdc2a78p-10,
                 -0x1.8107ee7066acap-13, 0x1.3606cb82c7bc4p-16, -0x1.c22496de692c7p-22, -0x1.e798da326d9aap-25,
                 0x1.6eae9f8280a3cp-28, -0x1.8f64295fe7c5fp-35, -0x1.9297d4d7ba70ap-36, 0x1.b0fe57f1eaf06p-40,
                 0x1.9f22b31c3294bp-46, -0x1.3ef079b14b0f8p-47, 0x1.c5a53cbc70b6fp-52, 0x1.86fd739f5f26ep-56,
                 -0x1.d6d16c2c99f4bp-59, 0x1.7cb431e083622p-64, 0x1.cc8439e1f15dbp-67, -0x1.62d810ef27bf8p-70,
                 -0x1.10fed4abc568bp-76, 0x1.1273a07cfe458p-77, -0x1.2d87f34cc8c6bp-84, -0x1.cef83da5c82f4p-86,
                 0x1.0c7a055a22c21p-96)

// Relative error of the fit 2^-52.97.
FANIN_POLYNOMIAL(quantile_tail_f64, double, 0x1.10ef5de30a2adp+2, 0x1.0125232d4a4e5p+0, 0x1.1fd4e6419ba66p-8,
                 -0x1.27cb2cc5edcffp-9, 0x1.229fa9f4f4d6cp-10, -0x1.14d47f3a6978dp-11, 0x1.a07be39c098dap-13,
                 -0x1.741bb2b2b01abp-15, -0x1.4ef0e9fd4f6a5p-19, 0x1.b19ae696a41ccp-18, -0x1.485a23a8ed42ap-19,
                 0x1.1bbcaedca2a76p-22, 0x1.4eb006b0b7258p-23, -0x1.65c8eaac5199cp-24, 0x1.093992f1080cfp-26,
                 0x1.1817455884d23p-29, -0x1.76b605a53ed43p-29, 0x1.033a0a5e0a4f8p-30, 0x1.1b0fd90bdc055p-32,
                 -0x1.0307c6a5e3f71p-32, -0x1.01db2e0b7da6cp-34, 0x1.bf598b710697dp-35, 0x1.2e19320a682c3p-37,
                 -0x1.ae623238d0daep-38)

// Relative error of the fit 2^-55.25.
FANIN_POLYNOMIAL(quantile_far_f64, double, 0x1.f3048283b6709p+2, 0x1.02897fcec938bp+0, -0x1.30baee7106a6cp-12,
                 -0x1.4ef0e1630e219p-15, 0x1.882b28e9d3e2p-17, -0x1.14b4871945bafp-19, 0x1.4d51d4ce20c08p-22,
                 -0x1.727595073a71dp-25, 0x1.87957ee9bdb7ep-28, -0x1.9166b22742e36p-31, 0x1.9db8299dc2614p-34,
                 -0x1.e1f48b29ac3cap-37, 0x1.7da9e7c333e45p-39, -0x1.a41714d3962fcp-41, 0x1.4a2cffd703c99p-42,
                 -0x1.07458763f827ap-43, 0x1.c5ba5d6a1fe18p-46, -0x1.eb070d5f8e9e3p-49, 0x1.7b2d8636759d9p-49,
                 -0x1.eee5dfbef0892p-51, -0x1.2c5a18ece76e7p-54, 0x1.7cb29f53a0b21p-55)

}  // namespace fanin::FANIN_ISA::table
