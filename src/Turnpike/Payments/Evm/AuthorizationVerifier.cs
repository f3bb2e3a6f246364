using System.Collections.Concurrent;
using Turnpike.Catalog;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.Evm;

/// <summary>What only the chain can say of an authorization: contract wallets' signatures, balance, and whether the transfer would go through.</summary>
internal sealed class AuthorizationVerifier(EvmNode node, Address sender, TimeProvider time)
{
    private static readonly TimeSpan CodeKept = TimeSpan.FromMinutes(15);
    private readonly ConcurrentDictionary<Address, DateTimeOffset> deployed = new();

    /// <summary>Null when the transfer would go through now. Throws <see cref="NodeSilentException"/>.</summary>
    public async ValueTask<Refusal?> VerifyAsync(AuthorizationTerms terms, CancellationToken ct)
    {
        var authorization = terms.Authorization;
        var signature = terms.SignatureBytes;
        if (await JudgeWalletAsync(terms, authorization, signature, ct) is { } code) return Verdicts.Of(code);
        if (!await IsDeployedAsync(terms.Contract, ct)) return Verdicts.Of(ErrorCodes.AssetNotDeployed);

        // A token may swallow a used nonce without reverting (PYUSD does), so the state is asked beside the simulation.
        var used = node.CallAsync(terms.Contract, Erc3009.AuthorizationState(authorization.From, authorization.Nonce), ct).AsTask();
        var (_, revert) = await SimulateAsync(terms, authorization, signature, ct);
        if (revert is not null) return await DiagnoseAsync(terms, authorization, revert, await used, ct);
        return Abi.DecodeBool((await used).Data) switch
        {
            true => Verdicts.Of(ErrorCodes.NonceAlreadyUsed),
            false => null,
            null => Verdicts.Of(ErrorCodes.Eip3009NotSupported),
        };
    }

    /// <summary>Why the transfer would revert right now, or null when it would not.</summary>
    public async ValueTask<RpcError?> SimulateAgainAsync(AuthorizationTerms terms, CancellationToken ct) =>
        (await SimulateAsync(terms, terms.Authorization, terms.SignatureBytes, ct)).Revert;

    /// <summary>The signature as the asset is given it: a wallet that is deployed needs its ERC-6492 wrapper no more.</summary>
    public static byte[] Unwrapped(byte[] signature) =>
        Erc6492.IsWrapped(signature) && Erc6492.TrySplit(signature, out _, out _, out var inner) ? inner : signature;

    /// <summary>Step 5 and 6 of the specification, for signatures that no plain key made. An ordinary one was recovered before any call.</summary>
    private async ValueTask<string?> JudgeWalletAsync(AuthorizationTerms terms, Authorization authorization, byte[] signature, CancellationToken ct)
    {
        var wrapped = Erc6492.IsWrapped(signature);
        if (!wrapped && signature.Length == Secp256k1.SignatureLength) return null;
        if (!await node.HasCodeAsync(authorization.From, ct)) return wrapped ? ErrorCodes.FactoryNotAllowed : ErrorCodes.Signature;
        KnownNetworks.TryChainId(terms.Network, out var chainId);
        var digest = new byte[Keccak.Size];
        Eip712.Digest(Eip712.DomainSeparator(terms.Name, terms.Version, chainId, terms.Contract), authorization, digest);
        var (answer, revert) = await node.CallAsync(authorization.From, Erc1271.IsValidSignature(digest, Unwrapped(signature)), ct);
        return revert is null && Erc1271.IsAccepted(answer) ? null : ErrorCodes.Signature;
    }

    private ValueTask<(byte[] Data, RpcError? Revert)> SimulateAsync(AuthorizationTerms terms, Authorization authorization, byte[] signature, CancellationToken ct) =>
        node.CallAsync(terms.Contract, Erc3009.TransferWithAuthorization(authorization, Unwrapped(signature)), ct, sender);

    private async ValueTask<bool> IsDeployedAsync(Address asset, CancellationToken ct)
    {
        if (deployed.TryGetValue(asset, out var until) && until > time.GetUtcNow()) return true;
        if (!await node.HasCodeAsync(asset, ct)) return false;
        deployed[asset] = time.GetUtcNow() + CodeKept;
        return true;
    }

    /// <summary>The first of the specification's explanations (step 11) that holds.</summary>
    private async ValueTask<Refusal> DiagnoseAsync(AuthorizationTerms terms, Authorization authorization, RpcError revert, (byte[] Data, RpcError? Revert) state, CancellationToken ct)
    {
        if (state.Revert is not null || Abi.DecodeBool(state.Data) is not { } used) return Verdicts.Of(ErrorCodes.Eip3009NotSupported);
        if (used) return Verdicts.Of(ErrorCodes.NonceAlreadyUsed);
        var name = node.CallAsync(terms.Contract, Erc3009.Name(), ct).AsTask();
        var version = node.CallAsync(terms.Contract, Erc3009.Version(), ct).AsTask();
        var balance = node.CallAsync(terms.Contract, Erc3009.BalanceOf(authorization.From), ct).AsTask();
        await Task.WhenAll(name, version, balance);
        if (Abi.DecodeString((await name).Data) is { } called && called != terms.Name) return Verdicts.Of(ErrorCodes.TokenNameMismatch);
        if (Abi.DecodeString((await version).Data) is { } numbered && numbered != terms.Version) return Verdicts.Of(ErrorCodes.TokenVersionMismatch);
        if (Abi.DecodeUInt((await balance).Data) is { } held && held < authorization.Value) return Verdicts.Of(ErrorCodes.InsufficientBalance);
        return Verdicts.Of(RevertReason.CodeOf(revert.Text, ErrorCodes.SimulationFailed), revert.Text);
    }
}
