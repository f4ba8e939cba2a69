// A printer of colour films over npm's dcmjs-dimse, which has the DICOM; here is what a printer does.
// Arguments: the folder of node_modules, the port, the file that gets a line of JSON for each image and each film.
const fs = require('fs');
const net = require('net');
const path = require('path');

const [modules, port, book] = process.argv.slice(2);
const dimse = require(path.join(modules, 'dcmjs-dimse'));
const { PresentationContextResult, Status, SopClass, TransferSyntax } = dimse.constants;

const COLOUR = '1.2.840.10008.5.1.1.18';
const FILM = '1.2.840.10008.5.1.1.2';
const IMAGE = '1.2.840.10008.5.1.1.4.1';
const SYNTAXES = [TransferSyntax.ImplicitVRLittleEndian, TransferSyntax.ExplicitVRLittleEndian];

// The library listens on every interface.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (number) {
  return listen.call(this, Number(number), '127.0.0.1');
};

const note = (line) => fs.appendFileSync(book, JSON.stringify(line) + '\n');
const done = (kind, request) => {
  const response = kind.fromRequest(request);
  response.setStatus(Status.Success);
  return response;
};

class Printer extends dimse.Scp {
  associationRequested(association) {
    for (const { id } of association.getPresentationContexts()) {
      const context = association.getPresentationContext(id);
      const isOurs = [COLOUR, SopClass.Verification].includes(context.getAbstractSyntaxUid());
      const syntax = context.getTransferSyntaxUids().find((one) => SYNTAXES.includes(one));
      if (isOurs && syntax) context.setResult(PresentationContextResult.Accept, syntax);
      else context.setResult(PresentationContextResult.RejectAbstractSyntaxNotSupported);
    }
    this.sendAssociationAccept();
  }

  nGetRequest(request, callback) {
    const response = done(dimse.responses.NGetResponse, request);
    response.setDataset(new dimse.Dataset({ PrinterStatus: 'NORMAL', PrinterStatusInfo: 'NORMAL' }));
    callback(response);
  }

  nCreateRequest(request, callback) {
    const response = done(dimse.responses.NCreateResponse, request);
    if (request.getAffectedSopClassUid() === FILM) {
      const { ImageDisplayFormat } = request.getDataset().getElements();
      // dcmjs takes a backslash for a border between values, in ST too.
      const [columns, rows] = [ImageDisplayFormat].flat().join('\\').split('\\')[1].split(',').map(Number);
      const boxes = Array.from({ length: columns * rows }, () => ({
        ReferencedSOPClassUID: IMAGE,
        ReferencedSOPInstanceUID: dimse.Dataset.generateDerivedUid(),
      }));
      response.setDataset(new dimse.Dataset({ ReferencedImageBoxSequence: boxes }));
    }
    callback(response);
  }

  nSetRequest(request, callback) {
    const { ImageBoxPosition, BasicColorImageSequence } = request.getDataset().getElements();
    const [image] = [BasicColorImageSequence].flat();
    note({
      position: ImageBoxPosition,
      rows: image.Rows,
      columns: image.Columns,
      planar: image.PlanarConfiguration,
      interpretation: image.PhotometricInterpretation,
      pixels: Buffer.from([image.PixelData].flat()[0]).toString('base64'),
    });
    callback(done(dimse.responses.NSetResponse, request));
  }

  nActionRequest(request, callback) {
    note({ printed: request.getRequestedSopInstanceUid() });
    callback(done(dimse.responses.NActionResponse, request));
  }

  nDeleteRequest(request, callback) {
    note({ deleted: request.getRequestedSopClassUid() });
    callback(done(dimse.responses.NDeleteResponse, request));
  }

  associationReleaseRequested() {
    note({ released: true });
    this.sendAssociationReleaseResponse();
  }
}

new dimse.Server(Printer).listen(port);
