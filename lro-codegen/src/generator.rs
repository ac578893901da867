//! The way in: what is read, what is wanted of it, and where it is written.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    context::Context,
    error::{Error, Result},
    model::{Model, Transport},
    overrides::Overrides,
    report::Report,
    sdk::Sdk,
    source::{
        discovery::{self, Discovery},
        openapi::{self, OpenApi},
        proto::{self, Proto},
    },
    write,
};

mod build;

/// Generates from protobuf files below the folder `root`, which imports are found in.
///
/// ```
/// let generator = lro_codegen::proto("proto").include("google/cloud/workflows/v1");
/// ```
pub fn proto(root: impl Into<PathBuf>) -> Generator {
    Generator::default().add_proto(root)
}

/// Generates from a discovery document of Google.
///
/// ```
/// let generator = lro_codegen::discovery("compute.v1.json");
/// ```
pub fn discovery(file: impl Into<PathBuf>) -> Generator {
    Generator::default().add_discovery(file)
}

/// Generates from an OpenAPI 3 or Swagger 2 document, JSON or YAML.
///
/// ```
/// let generator = lro_codegen::openapi("machines.json");
/// ```
pub fn openapi(file: impl Into<PathBuf>) -> Generator {
    Generator::default().add_openapi(file)
}

/// What is read, and what is wanted of it. Nothing is read before [`generate`](Self::generate),
/// [`write`](Self::write), [`write_to`](Self::write_to) or [`check`](Self::check).
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is read before `generate`, `write`, `write_to` or `check`"]
pub struct Generator {
    pub(crate) proto: Proto,
    pub(crate) discovery: Discovery,
    pub(crate) openapi: OpenApi,
    pub(crate) overrides: Option<PathBuf>,
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) externs: BTreeMap<String, String>,
    pub(crate) denies_skipped: bool,
}

/// What is read.
impl Generator {
    /// Reads protobuf files below one more folder `root`, as [`proto`] does. Descriptions of all
    /// languages may be combined; what is written is one SDK.
    ///
    /// ```
    /// let generator = lro_codegen::openapi("images.json").add_proto("proto").include("example/images/v1");
    /// ```
    pub fn add_proto(self, root: impl Into<PathBuf>) -> Self {
        self.root(root)
    }

    /// Reads one more discovery document, as [`discovery`] does.
    ///
    /// ```
    /// let generator = lro_codegen::discovery("compute.v1.json").add_discovery("sqladmin.v1.json");
    /// ```
    pub fn add_discovery(mut self, file: impl Into<PathBuf>) -> Self {
        self.discovery.files.push(file.into());
        self
    }

    /// Reads one more OpenAPI document, as [`openapi`] does.
    ///
    /// ```
    /// let generator = lro_codegen::openapi("machines.json").add_openapi("disks.json");
    /// ```
    pub fn add_openapi(mut self, file: impl Into<PathBuf>) -> Self {
        self.openapi.files.push(file.into());
        self
    }

    /// Takes the services of this folder or file below a root of protos. A folder is read whole.
    /// Without it, the services of all files below the roots are taken.
    ///
    /// ```
    /// let generator = lro_codegen::proto("googleapis").include("google/cloud/workflows/v1");
    /// ```
    pub fn include(mut self, path: impl Into<PathBuf>) -> Self {
        self.proto.include.push(path.into());
        self
    }

    /// Finds imports of protos in this folder, too.
    ///
    /// ```
    /// let generator = lro_codegen::proto("proto").root("third_party/googleapis").include("example/images/v1");
    /// ```
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.proto.roots.push(root.into());
        self
    }

    /// Reads a set of compiled descriptors, as `protoc --descriptor_set_out --include_imports
    /// --include_source_info` writes it, in place of protos.
    ///
    /// ```
    /// let generator = lro_codegen::Generator::default().descriptors("images.binpb");
    /// ```
    pub fn descriptors(mut self, file: impl Into<PathBuf>) -> Self {
        self.proto.descriptors.push(file.into());
        self
    }

    /// Reads a service configuration, such as `workflows_v1.yaml`, or a `*_gapic.yaml`: they say of
    /// protos at which path operations are polled, whether they can be cancelled and deleted, and
    /// how often to poll.
    ///
    /// ```
    /// let generator = lro_codegen::proto("proto").service_config("proto/images_v1.yaml");
    /// ```
    pub fn service_config(mut self, file: impl Into<PathBuf>) -> Self {
        self.proto.configs.push(file.into());
        self
    }

    /// Reads the overrides file, `lro.toml`: what you say of methods whose description says too
    /// little, or something wrong.
    ///
    /// ```
    /// let generator = lro_codegen::discovery("compute.v1.json").overrides("lro.toml");
    /// ```
    pub fn overrides(mut self, file: impl Into<PathBuf>) -> Self {
        self.overrides = Some(file.into());
        self
    }

    /// Takes the types of responses that a discovery document does not say from protos below this
    /// folder: from the method with the same verb and path.
    ///
    /// ```
    /// let generator = lro_codegen::discovery("workflows.v1.json").join_protos("googleapis");
    /// ```
    pub fn join_protos(mut self, root: impl Into<PathBuf>) -> Self {
        self.discovery.protos.push(root.into());
        self
    }
}

/// What is wanted of it.
impl Generator {
    /// Calls the methods of protos in this way. Default: gRPC.
    ///
    /// ```
    /// use lro_codegen::Transport;
    ///
    /// let generator = lro_codegen::proto("proto").transport(Transport::Rest);
    /// ```
    pub fn transport(mut self, transport: Transport) -> Self {
        self.proto.transport = transport;
        self
    }

    /// Takes a method of an OpenAPI document for long-running that answers `202` and declares a
    /// header that names a monitor, and nothing else. Not the default: many such methods start
    /// nothing that could be waited for.
    ///
    /// ```
    /// let generator = lro_codegen::openapi("images.json").accept_202();
    /// ```
    pub fn accept_202(mut self) -> Self {
        self.openapi.accept_202 = true;
        self
    }

    /// Writes only methods that this pattern matches, or another one that is given so. A pattern is
    /// a service, a method, or `Service.Method`, and `*` in it stands for any characters.
    ///
    /// ```
    /// let generator = lro_codegen::proto("proto").only("Workflows").only("*.Export*");
    /// ```
    pub fn only(mut self, pattern: impl Into<String>) -> Self {
        self.only.push(pattern.into());
        self
    }

    /// Writes no method that this pattern matches. The report names each.
    ///
    /// ```
    /// let generator = lro_codegen::proto("proto").skip("Workflows.Delete*");
    /// ```
    pub fn skip(mut self, pattern: impl Into<String>) -> Self {
        self.skip.push(pattern.into());
        self
    }

    /// Writes `path` where the description names `name`, and no type for it: a type that you have
    /// written, or for protos a package, which begins the names of its messages.
    ///
    /// ```
    /// let generator = lro_codegen::proto("proto")
    ///     .extern_type("google.rpc", "::tonic_types::pb")
    ///     .extern_type("example.images.v1.Image", "crate::Image");
    /// ```
    pub fn extern_type(mut self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.externs.insert(name.into(), path.into());
        self
    }

    /// Fails, and writes nothing, if a long-running method is skipped that is not left out by
    /// [`only`](Self::only), [`skip`](Self::skip), or the overrides file.
    ///
    /// ```
    /// let generator = lro_codegen::proto("proto").deny_skipped();
    /// ```
    pub fn deny_skipped(mut self) -> Self {
        self.denies_skipped = true;
        self
    }
}

impl Generator {
    /// Reads the descriptions and returns what is written from them. Writes no file.
    ///
    /// # Errors
    ///
    /// The report, if a description has an error: all of them at once.
    pub fn generate(&self) -> std::result::Result<Sdk, Report> {
        let mut context = Context { only: self.only.clone(), skip: self.skip.clone(), ..Context::default() };
        let mut model = Model::default();
        if let Some(document) = self.overrides.as_ref().and_then(|path| context.document(path)) {
            context.overrides = Overrides::read(&document, &mut context.report);
        }
        context.overrides.add_externs(&self.externs, &mut context.report);
        proto::read(&self.proto, &mut context, &mut model);
        discovery::read(&self.discovery, &mut context, &mut model);
        openapi::read(&self.openapi, &mut context, &mut model);
        context.overrides.report_unused(&mut context.report);
        let (modules, rows) = write::write(&model, &mut context);
        if context.report.has_errors() {
            context.report.nothing_is_written();
            return Err(context.report);
        }
        Ok(Sdk { modules, rows, report: context.report, read: context.read })
    }

    /// Generates in a build script: writes `lro.rs` into the folder `OUT_DIR` of cargo, and tells
    /// cargo to run the script again when a file that was read changes. Methods that were skipped
    /// although nobody has asked for that are warnings of the build. Needs no network and no
    /// `protoc`.
    ///
    /// ```no_run
    /// // build.rs
    /// fn main() -> Result<(), lro_codegen::Error> {
    ///     lro_codegen::openapi("machines.json").write()?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// The crate takes it in with `include!(concat!(env!("OUT_DIR"), "/lro.rs"));`.
    ///
    /// A file that is new in a folder is noticed when one of those that were read changes: cargo
    /// watches files, since it would take any change below a folder for one of the description.
    ///
    /// # Errors
    ///
    /// If a description has an error, a method is skipped that [may not be](Self::deny_skipped), or
    /// the file cannot be written. A build prints the error with all diagnostics, a line each.
    pub fn write(&self) -> Result<Sdk> {
        build::write(self)
    }

    /// Generates into `path`: one file if it ends in `.rs`, else a folder with `mod.rs`, one file
    /// for each service, and one for the types. Only files whose content changes are touched. Files
    /// of an earlier run that are no longer written are removed; files that were written by
    /// somebody else are never touched.
    ///
    /// ```no_run
    /// lro_codegen::openapi("machines.json").write_to("src/generated")?;
    /// # Ok::<(), lro_codegen::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write), and if a file stands in the way that was not generated.
    pub fn write_to(&self, path: impl AsRef<Path>) -> Result<Sdk> {
        let sdk = self.undenied()?;
        sdk.write_to(path)?;
        Ok(sdk)
    }

    /// Checks that [`write_to`](Self::write_to) with this path would change nothing. Writes no
    /// file.
    ///
    /// ```no_run
    /// #[test]
    /// fn the_sdk_is_that_of_the_description() -> Result<(), lro_codegen::Error> {
    ///     lro_codegen::openapi("machines.json").check("src/generated")?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] with each file that differs; otherwise as [`write_to`](Self::write_to).
    pub fn check(&self, path: impl AsRef<Path>) -> Result<Sdk> {
        let sdk = self.undenied()?;
        sdk.check(path)?;
        Ok(sdk)
    }

    /// Generates, and fails if a method is skipped that may not be.
    fn undenied(&self) -> Result<Sdk> {
        let sdk = self.generate().map_err(Error::Description)?;
        if !self.denies_skipped || !sdk.report.has_skipped() {
            return Ok(sdk);
        }
        let mut report = sdk.report;
        report.nothing_is_written();
        Err(Error::Skipped(report))
    }
}

#[cfg(test)]
mod tests;
