using Microsoft.OpenApi;

namespace Turnpike.Admin;

/// <summary>The Admin API's OpenAPI document: made from the endpoints themselves, with the key they all ask for.</summary>
internal static class AdminDocument
{
    private const string Key = "adminKey";

    public static IServiceCollection AddAdminDocument(this IServiceCollection services) => services.AddOpenApi(options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo { Title = "Turnpike Admin API", Version = "v1", Description = "For operators, on gateway.admin. Money is decimal text with its currency; every error is problem+json with a stable reason." };
            document.Servers = []; // wherever gateway.admin listens
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [Key] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A key of gateway.admin-key." },
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Key, document)] = [] }];
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, _, _) =>
        {
            operation.Responses ??= [];
            operation.Responses["401"] = new OpenApiResponse { Description = "No admin key, or a wrong one" };
            if (operation.OperationId is "issueToken" or "refundPayment" or "creditInvoice")
                (operation.Parameters ??= []).Add(new OpenApiParameter { Name = "Idempotency-Key", In = ParameterLocation.Header, Required = operation.OperationId != "issueToken", Description = "The same key is the same token, or refund.", Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = 255 } });
            return Task.CompletedTask;
        });
    });
}
